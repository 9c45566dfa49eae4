"""How a process ends: a mistake in one line, an interruption with its code, and with its `dvc`."""

import os
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from tests.conftest import ROOT, assert_one_line

IMPORTS = """
from stages.common.base.errors import InputError
from stages.common.base.process import run_main
from stages.common.base.progress import log
"""


SLEEPER = "import time\nfrom stages.common.base.process import run_main\n"
SLEEPER += "run_main(lambda: time.sleep(30))"


def call(code, **options):
    """Run a script that has the imports above."""
    return subprocess.run(
        [sys.executable, "-c", IMPORTS + code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        **{"capture_output": True, "text": True, "timeout": 60} | options,
    )


def test_a_mistake_ends_in_one_line():
    result = call("def main(): raise InputError('no such class: cow')\nrun_main(main)")
    assert_one_line(result, "error: no such class: cow\n")
    assert result.stdout == ""


def test_an_error_of_the_system_names_the_path(tmp_path):
    result = call(f"run_main(lambda: open({str(tmp_path / 'no' / 'file')!r}, 'w'))")
    assert_one_line(result, "No such file or directory", str(tmp_path / "no" / "file"))


def test_an_error_of_the_system_without_a_path_is_one_line():
    result = call("def main(): raise OSError(28, 'No space left')\nrun_main(main)")
    assert_one_line(result, "No space left\n")


def test_a_defect_keeps_its_traceback():
    result = call("def main(): raise ZeroDivisionError('oh')\nrun_main(main)")
    assert result.returncode == 1
    assert "Traceback" in result.stderr and "ZeroDivisionError: oh" in result.stderr


@pytest.mark.parametrize("name, code", [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_the_work_in_one_line_that_says_how_to_go_on(name, code):
    """What was begun is tidied up first."""
    result = call(
        "import os, signal, time\n"
        "def main():\n"
        "    try:\n"
        f"        os.kill(os.getpid(), signal.{name})\n"
        "        time.sleep(30)\n"
        "    finally:\n"
        "        log('tidied up')\n"
        "run_main(main, then='come back later')"
    )
    assert result.returncode == code
    assert result.stderr == "interrupted, no result was written: come back later\n"
    assert result.stdout == "tidied up\n"


def test_a_stage_ends_with_the_dvc_that_started_it():
    """A child that is left alone would write into the next run's files."""
    parent = (
        "import os, subprocess, sys, time\n"
        f"command = [sys.executable, '-c', {SLEEPER!r}]\n"
        "child = subprocess.Popen(command, stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(3)\n"  # until the child is at its work
        "os._exit(0)\n"
    )
    for variables, ends in (({"DVC_STAGE": "train_q1"}, True), ({}, False)):
        environment = {k: v for k, v in os.environ.items() if k != "DVC_STAGE"}
        shown = subprocess.check_output(
            [sys.executable, "-c", parent],
            env=environment | {"PYTHONPATH": str(ROOT)} | variables,
            text=True,
        )
        child = psutil.Process(int(shown))
        _, alive = psutil.wait_procs([child], timeout=3)
        assert bool(alive) is not ends
        for one in alive:
            one.kill()


@pytest.fixture
def stage_under_dvc(tmp_path):
    """Return a function that starts a script as a stage, with a shell between it and `dvc`.

    It yields the `dvc`, which ends as soon as a line is written to it, and the stage.
    """
    script = tmp_path / "dvc"
    script.write_text(
        "import os, subprocess, sys\n"
        # more than one command: no shell gives its place to the first
        f"command = ['/bin/sh', '-c', '{sys.executable} -c \"$STAGE\"; true']\n"
        "shell = subprocess.Popen(command, stdin=subprocess.DEVNULL)\n"
        "sys.stdin.readline()\n"
        "os._exit(0)\n"
    )

    @contextmanager
    def start(stage):
        environment = {"DVC_STAGE": "train_q1", "STAGE": stage, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            [sys.executable, script],
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as dvc:
            yield dvc, psutil.Process(int(dvc.stdout.readline()))

    return start


AT_WORK = """
import hashlib, os, time
from stages.common.base.process import run_main
def main():
    time.sleep(1)  # until the thread that watches over `dvc` is at its work, too
    print(os.getpid(), flush=True)
    {work}
run_main(main, then="come back later")
"""


@pytest.mark.parametrize(
    "work",
    # the second is one call that no signal's handler ends
    ["time.sleep(30)", "hashlib.pbkdf2_hmac('sha256', b'a', b'b', 100_000_000)"],
    ids=["asleep", "amid a long step"],
)
@pytest.mark.parametrize("asked", [False, True], ids=["lost", "asked to end, too"])
def test_a_stage_ends_with_dvc_and_says_once_how_to_go_on(stage_under_dvc, work, asked):
    with stage_under_dvc(AT_WORK.format(work=work)) as (dvc, stage):
        if asked:
            stage.terminate()
        _, output = dvc.communicate("end\n")  # until the stage has closed its stderr
    assert output == "interrupted, no result was written: come back later\n"
