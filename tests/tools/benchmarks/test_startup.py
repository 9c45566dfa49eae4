"""A command is timed only where it does what it should."""

from subprocess import CompletedProcess

import pytest

from tools.benchmarks import startup
from tools.benchmarks.measure import Different


def test_a_command_that_does_what_it_should():
    done = CompletedProcess((), 0, "a line\nup to date.\n", "")
    assert startup.says(done, "up to date", 0) == "exit code 0, prints `up to date`"
    refused = CompletedProcess((), 1, "", "error: lr is -1: more is needed\n")
    assert startup.says(refused, "error: lr is -1", 1) == "exit code 1, prints `error: lr is -1`"


@pytest.mark.parametrize(
    "done, code",
    [
        (CompletedProcess((), 0, "error: what\n", ""), 1),
        (CompletedProcess((), 1, "", "Traceback\nerror: what\n"), 1),
        (CompletedProcess((), 1, "", "another\n"), 1),
        (CompletedProcess((), 1, "error: what\n", ""), 0),
        (CompletedProcess((), 0, "", "error: what\n"), 0),
    ],
)
def test_another_exit_code_or_other_words_are_refused(done, code):
    with pytest.raises(Different, match="^exit code"):
        startup.says(done, "error: what", code)


def test_commands_are_shown_as_one_types_them():
    assert startup.shown((*startup.DVC, "status")) == "dvc status"
    assert startup.shown((*startup.TRAIN, "q1")) == "python -m stages.train q1"
