"""How a stage meets its user: one line for a mistake, progress in a log and on a terminal."""

import os
import re
import subprocess
import sys

import psutil
import pytest

from stages.common.base import process
from stages.common.base.errors import InputError
from stages.common.base.progress import log, progress
from tests.conftest import ROOT, assert_one_line

pty = pytest.importorskip("pty", reason="no terminals of this kind on this system")
termios = pytest.importorskip("termios")


def call(code, **options):
    """Run a script that imports `cli`."""
    return subprocess.run(
        [sys.executable, "-c", "from stages.common import cli\n" + code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        **{"capture_output": True, "text": True, "timeout": 60} | options,
    )


def test_a_mistake_ends_in_one_line():
    result = call("def main(): raise InputError('no such class: cow')\nprocess.run_main(main)")
    assert_one_line(result, "error: no such class: cow\n")
    assert result.stdout == ""


def test_an_error_of_the_system_names_the_path(tmp_path):
    result = call(f"process.run_main(lambda: open({str(tmp_path / 'no' / 'file')!r}, 'w'))")
    assert_one_line(result, "No such file or directory", str(tmp_path / "no" / "file"))


def test_an_error_of_the_system_without_a_path_is_one_line():
    result = call("import errno\ndef main(): raise OSError(errno.ENOSPC, 'No space left')\n"
                  "process.run_main(main)")  # fmt: skip
    assert result.stderr == "error: No space left\n"
    assert result.returncode == 1


def test_an_error_of_the_system_in_words_of_its_own_is_one_line():
    result = call("def main(): raise OSError('the line is dead')\nprocess.run_main(main)")
    assert_one_line(result, "the line is dead")


def test_a_defect_keeps_its_traceback():
    result = call("def main(): raise ZeroDivisionError('oh')\nprocess.run_main(main)")
    assert result.returncode == 1
    assert "Traceback" in result.stderr and "ZeroDivisionError: oh" in result.stderr


def test_an_interruption_ends_with_130_and_without_a_traceback():
    result = call("def main(): raise KeyboardInterrupt\nprocess.run_main(main)")
    assert result.returncode == 130
    assert result.stderr.startswith("interrupted") and result.stderr.count("\n") == 1


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
        "process.run_main(main, then='come back later')"
    )
    assert result.returncode == code
    assert result.stderr == "interrupted, no result was written: come back later\n"
    assert result.stdout == "tidied up\n"


def test_a_stage_ends_with_the_dvc_that_started_it():
    """A child that is left alone would write into the next run's files."""
    stage = "import time; from stages.common import cli; process.run_main(lambda: time.sleep(30))"
    parent = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {stage!r}], stdout=subprocess.DEVNULL)\n"
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
        for process in alive:
            process.kill()


def test_a_stage_ends_with_dvc_also_where_a_shell_is_between(tmp_path):
    stage = "import time; from stages.common import cli; process.run_main(lambda: time.sleep(30))"
    script = tmp_path / "dvc"
    script.write_text(
        "import os, subprocess, sys, time\n"
        # more than one command: no shell gives its place to the first
        f"command = ['/bin/sh', '-c', '{sys.executable} -c \"$STAGE\"; true']\n"
        "shell = subprocess.Popen(command, stdout=subprocess.DEVNULL)\n"
        "time.sleep(3)\n"
        "print(shell.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    environment = {"DVC_STAGE": "train_q1", "STAGE": stage, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script], env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as dvc:
        shell = psutil.Process(int(dvc.stdout.readline()))
        (child,) = shell.children()
    assert psutil.wait_procs([child], timeout=3)[1] == []


def test_success_is_silent():
    result = call("process.run_main(lambda: None)")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_log_line_arrives_at_once():
    result = call("import os\ncli.log('half way')\nos._exit(0)")
    assert result.stdout == "half way\n"


def test_progress_in_a_log_is_plain_lines(capsys, monkeypatch):
    monkeypatch.setattr(cli, "LOG_SECONDS", 0)
    assert list(progress(iter("abcd"), "reading", 4)) == list("abcd")
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "\r" not in out and err == ""
    assert len(lines) == 3  # none for the last: there is nothing left to wait for
    assert re.fullmatch(r"reading: 1 of 4 images, about \d+ s left", lines[0])
    assert lines[2].startswith("reading: 3 of 4 images")


def test_progress_in_a_log_stays_silent_while_the_work_is_short(capsys):
    assert list(progress([1, 2, 3], "reading", 3, unit="step")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_the_time_that_is_left_is_in_proportion(capsys, monkeypatch):
    clock = iter([100.0, 110.0, 120.0, 140.0, 160.0])  # start, then after each item
    monkeypatch.setattr(cli.time, "monotonic", lambda: next(clock))
    list(progress("abcd", "reading", 4, unit="map"))
    out = capsys.readouterr().out
    # 15 seconds must pass between two lines: after 10 s none, after 20 s one, after 40 s another
    assert out.splitlines() == [
        "reading: 2 of 4 maps, about 20 s left",
        "reading: 3 of 4 maps, about 13 s left",
    ]


def test_progress_stops_with_its_items():
    def items():
        yield 1
        raise InputError("broken")

    given = []
    with pytest.raises(InputError, match="broken"):
        for item in progress(items(), "reading", 2):
            given.append(item)
    assert given == [1]


def test_a_terminal_gets_a_bar_with_the_time_left():
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 80))
    code = (
        "import time\n"
        "given = []\n"
        "for item in progress(range(4), 'reading', 4):\n"
        "    given.append(item)\n"
        "    time.sleep(0.15)\n"
        "print(given)\n"
    )
    result = call(code, capture_output=False, stdout=subprocess.PIPE, stderr=side)
    os.set_blocking(main, False)
    drawn = os.read(main, 65536)
    os.close(side)
    os.close(main)
    assert result.stdout == "[0, 1, 2, 3]\n"
    assert re.search(rb"reading:\s+50%\|.*\| 2/4 \[\d\d:\d\d<\d\d:\d\d", drawn), drawn
    assert b"\r" in drawn
