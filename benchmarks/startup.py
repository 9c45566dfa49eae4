"""What a command takes before it does anything, against bare Python and bare DVC."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Different, race
from benchmarks.table import Row
from stages.common.cli import InputError
from verify.clone import Clone, temporary_clone

PYTHON = (sys.executable, "-c", "pass")
DVC = (sys.executable, "-m", "dvc")
TRAIN = (sys.executable, "-m", "stages.train")


def rows(pairs: int) -> Iterator[Row]:
    """Compare commands that have nothing to do with the least that any command takes.

    They run in a temporary clone of the project's last commit that is up to date.

    Yields
    ------
    Row

    Raises
    ------
    InputError
        DVC's cache lacks results of the last commit.
    """
    project = Path.cwd()
    with temporary_clone(project) as clone:
        bring_up_to_date(clone, project)
        version = (*DVC, "--version")
        yield compare(clone, "dvc status", (*DVC, "status", "--json"), version, pairs, "{}")
        upto_date = "Data and pipelines are up to date."
        yield compare(clone, "dvc repro", (*DVC, "repro"), version, pairs, upto_date)
        usage = "usage: python -m stages.train"
        yield compare(clone, "help of a stage", (*TRAIN, "--help"), PYTHON, pairs, usage)
        clone.set_params(["train.lr=-1"])
        refusal = "error: params.yaml: train.lr is -1"
        yield compare(clone, "an invalid param", (*TRAIN, "q1"), PYTHON, pairs, refusal, code=1)


def bring_up_to_date(clone: Clone, project: Path) -> None:
    """Fetch all results from the project's cache and take them for those of the clone's code."""
    asked = subprocess.run((*DVC, "cache", "dir"), cwd=project, capture_output=True, text=True)
    # a cache is laid out like a remote, and so is only read
    call(clone, (*DVC, "remote", "add", "--local", "project", asked.stdout.strip()))
    if call(clone, (*DVC, "pull", "--quiet", "--remote", "project")).returncode:
        raise InputError("the cache lacks results of the last commit: `dvc repro`, then commit")
    call(clone, (*DVC, "commit", "--quiet", "--force"))


def call(clone: Clone, command: tuple[str, ...]) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=clone.project, env=clone.environment, capture_output=True, text=True
    )


def compare(
    clone: Clone,
    case: str,
    ours: tuple[str, ...],
    other: tuple[str, ...],
    pairs: int,
    said: str,
    code: int = 0,
) -> Row:
    """Compare two commands, once ours has said what it should."""
    equality = says(call(clone, ours), said, code)
    times = race(lambda: call(clone, ours), lambda: call(clone, other), pairs)
    row = Row(case, shown(ours), shown(other), times, equality)
    return replace(row, note=f"{row.medians[0] - row.medians[1]:.2f} s beyond it")


def says(done: subprocess.CompletedProcess, said: str, code: int) -> str:
    """Check a command's exit code and that one line of what it prints starts as it should.

    Raises
    ------
    Different
        It does not; or it failed with more than one line.
    """
    lines = (done.stderr if code else done.stdout).splitlines()
    found = any(line.startswith(said) for line in lines)
    if done.returncode != code or not found or (code and len(lines) > 1):
        printed = (done.stdout + done.stderr).strip()
        raise Different(f"exit code {done.returncode} and {printed[-200:]!r}, not {said!r}")
    return f"exit code {code}, prints `{said}`"


def shown(command: tuple[str, ...]) -> str:
    """Write a command as one would type it."""
    return " ".join(("python", *command[1:])).replace("python -m dvc", "dvc")
