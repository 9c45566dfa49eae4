"""What a command takes that has nothing to do, against bare DVC and bare Python."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from stages.common.base.errors import InputError
from tools.benchmarks.measure import Different, race
from tools.benchmarks.table import Row
from tools.verify.clone import Clone, temporary_clone

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
        bare = bare_project(clone)
        status, repro = (*DVC, "status", "--json"), (*DVC, "repro")
        yield compare(clone, "dvc status", status, bare, pairs, "{}")
        upto_date = "Data and pipelines are up to date."
        yield compare(clone, "dvc repro", repro, bare, pairs, upto_date)
        usage = "usage: python -m stages.train"
        yield compare(clone, "help of a stage", (*TRAIN, "--help"), None, pairs, usage)
        clone.set_params(["train.lr=-1"])
        refusal = "error: params.yaml: train.lr is -1"
        yield compare(clone, "an invalid param", (*TRAIN, "q1"), None, pairs, refusal, code=1)


def bare_project(clone: Clone) -> Path:
    """Make a DVC project of one stage that is up to date: what DVC takes by itself."""
    folder = clone.project.with_name("bare")
    folder.mkdir()
    for command in (
        ("git", "init", "--quiet"),
        (*DVC, "init", "--quiet"),
        (*DVC, "stage", "add", "--quiet", "--run", "--name", "one", "--outs", "out", "echo > out"),
    ):
        subprocess.run(command, cwd=folder, env=clone.environment, check=True, capture_output=True)
    return folder


def bring_up_to_date(clone: Clone, project: Path) -> None:
    """Fetch all results from the project's cache and take them for those of the clone's code."""
    asked = subprocess.run((*DVC, "cache", "dir"), cwd=project, capture_output=True, text=True)
    # a cache is laid out like a remote, and so is only read
    call(clone, (*DVC, "remote", "add", "--local", "project", asked.stdout.strip()))
    if call(clone, (*DVC, "pull", "--quiet", "--remote", "project")).returncode:
        raise InputError("the cache lacks results of the last commit: `dvc repro`, then commit")
    call(clone, (*DVC, "commit", "--quiet", "--force"))


def call(
    clone: Clone, command: tuple[str, ...], folder: Path | None = None
) -> subprocess.CompletedProcess:
    folder = folder or clone.project
    return subprocess.run(
        command, cwd=folder, env=clone.environment, capture_output=True, text=True
    )


def compare(
    clone: Clone,
    case: str,
    command: tuple[str, ...],
    bare: Path | None,
    pairs: int,
    said: str,
    code: int = 0,
) -> Row:
    """Compare a command, once it has said what it should, with itself elsewhere or bare Python."""
    equality = says(call(clone, command), said, code)
    other = command if bare else PYTHON
    times = race(lambda: call(clone, command), lambda: call(clone, other, bare), pairs)
    name = f"{shown(other)}, a project of one stage" if bare else shown(other)
    row = Row(case, shown(command), name, times, equality)
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
