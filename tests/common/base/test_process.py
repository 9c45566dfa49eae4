"""How a process ends: a mistake in one line, an interruption with its code, and with its `dvc`."""

import os
import subprocess
import sys

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


def test_a_stage_ends_with_dvc_also_where_a_shell_is_between(tmp_path):
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
    environment = {"DVC_STAGE": "train_q1", "STAGE": SLEEPER, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script], env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as dvc:
        shell = psutil.Process(int(dvc.stdout.readline()))
        (child,) = shell.children()
    assert psutil.wait_procs([child], timeout=3)[1] == []
