"""The same lock to the byte, whatever surrounds a run and however often it is killed.

The quick form changes everything at once; the long one, `make test-long`, loads the machine and
kills at 20 random moments.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import Clone

ODD_FOLDER = "ein Ordner für 研究"


@pytest.fixture
def new_clone(fresh_clone, tmp_path):
    """Return a function that copies the clone without results to a folder of a name."""
    return lambda name="project": fresh_clone.copy(tmp_path / name)


@pytest.fixture
def lock(finished_clone) -> bytes:
    """The lock of the undisturbed run."""
    return (finished_clone / "dvc.lock").read_bytes()


@pytest.fixture(scope="session")
def another_clock() -> dict[str, str]:
    """The environment in which all processes believe to be in another year."""
    libfaketime = pytest.importorskip("libfaketime", reason="no other clock on this system")
    library = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"
    # a clock that only counts seconds goes on as it is: time-outs rely on it
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": "+3000d",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def finish(clone: Clone, *wrap: str, environment=None) -> str:
    process = clone.start(*wrap, "dvc", "repro", environment=environment)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return output


def kill(process: subprocess.Popen, number: signal.Signals = signal.SIGKILL) -> str:
    """Send a signal to the command and all that it has started; give what was printed last."""
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    return output


def read_until(process: subprocess.Popen, text: str) -> None:
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the command ended without {text!r}")


@pytest.mark.timeout(1200)  # five starts of the pipeline
def test_all_at_once(new_clone, lock, another_clock, tmp_path):
    environment = another_clock | {
        "PYTHONHASHSEED": "4711",
        "PYTHONOPTIMIZE": "2",
        # else each start would optimise all libraries anew, which doubles the time
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"),
        "TZ": "Pacific/Chatham",
        "LANG": "C",
        "LC_ALL": "C",
    }
    clone = new_clone(ODD_FOLDER)
    for text, number in (
        ("images of 10 classes are in", signal.SIGKILL),
        ("augment epoch   1 of 2", signal.SIGINT),
        ("better epoch   1 of 2", signal.SIGTERM),
        ("Running stage 'evaluate@q2'", signal.SIGKILL),
    ):
        process = clone.start("dvc", "repro", environment=environment)
        read_until(process, text)
        output = kill(process, number)
        assert (number == signal.SIGKILL) != ("interrupted, no result was written" in output)
    mask = ["sh", "-c", 'umask 077; exec "$@"', "sh"]
    finish(clone, *mask, environment=environment)
    assert (clone / "dvc.lock").read_bytes() == lock
    assert not (clone / "models/.unfinished").exists()


def test_a_killed_training_goes_on_unless_forced(clone):
    weights = clone / "models/better/weights.safetensors"
    # so many that the training cannot end before it notices that `dvc` is gone
    clone.set_params({"train_better": {"epochs": 12}})
    # a shell that stays between DVC and the stage, as Debian's does
    process = clone.start("dvc", "repro", "train_better", environment={"SHELL": "/bin/sh"})
    read_until(process, "better epoch   2 of 12")
    # the command alone: the stage that it has started must not go on by itself
    process.kill()
    process.wait()
    output = clone.dvc("repro", "train_better")
    assert "better: an earlier run was stopped: going on after its epoch" in output
    assert "better epoch   2 of" not in output and "better epoch  12 of" in output
    assert not (clone / "models/.unfinished").exists()
    expected = weights.read_bytes()

    process = clone.start("dvc", "repro", "--force", "--single-item", "train_better")
    read_until(process, "better epoch   2 of 12")
    kill(process)
    assert (clone / "models/.unfinished/better.safetensors").is_file()
    output = clone.dvc("repro", "-f", "-s", "train_better")
    assert "going on" not in output and "better epoch   1 of 12" in output
    assert weights.read_bytes() == expected


def busy_machine():
    """Keep two more processes busy than there are cores."""
    code = "while True: pass"
    return [subprocess.Popen([sys.executable, "-c", code]) for _ in range(os.cpu_count() + 2)]


def drop_page_cache(folder: Path) -> None:
    """Make the system forget what it holds in memory of the files below a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.mark.long
def test_load(new_clone, lock):
    clone = new_clone()
    others = busy_machine()
    try:
        finish(clone)
    finally:
        for process in others:
            process.kill()
            process.wait()
    assert (clone / "dvc.lock").read_bytes() == lock


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the page cache cannot be dropped")
def test_cold_page_cache(new_clone, lock):
    clone = new_clone()
    process = clone.start("dvc", "repro")
    while process.poll() is None:
        drop_page_cache(clone.folder)
        time.sleep(2)
    assert process.returncode == 0, process.stdout.read()
    assert (clone / "dvc.lock").read_bytes() == lock


@pytest.fixture(scope="session")
def seconds_of_a_run(fresh_clone, tmp_path_factory) -> float:
    clone = fresh_clone.copy(tmp_path_factory.mktemp("timed") / "project")
    begin = time.monotonic()
    finish(clone)
    return time.monotonic() - begin


@pytest.mark.long
@pytest.mark.parametrize("moment", range(20))
def test_kill_at_a_random_moment(new_clone, lock, seconds_of_a_run, moment):
    # one in each twentieth of the run, so that no stage is missed
    share = (moment + random.Random(moment).random()) / 20
    clone = new_clone()
    process = clone.start("dvc", "repro")
    time.sleep(share * seconds_of_a_run)
    if process.poll() is None:
        kill(process)
    output = finish(clone)
    print(f"killed at {share:.0%}: {output.count('Running stage')} stages were left")
    assert (clone / "dvc.lock").read_bytes() == lock
    assert not (clone / "models/.unfinished").exists()
    assert not list(clone.folder.rglob("*.partial"))


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("network", ["q1", "q2", "augment", "better"])
def test_signal_in_a_training(new_clone, lock, network, number):
    clone = new_clone()
    process = clone.start("dvc", "repro")
    read_until(process, f"{network} epoch   1 of 2")
    begin = time.monotonic()
    output = kill(process, number)
    assert time.monotonic() - begin < 4  # the stage and then dvc itself
    assert "interrupted, no result was written: `dvc repro` goes on" in output
    assert f"{network}: an earlier run was stopped: going on after its epoch 1" in finish(clone)
    assert (clone / "dvc.lock").read_bytes() == lock
