"""A clone of the project on a tiny configuration, in which the real `dvc` runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from stages.common.study import NETWORKS

ROOT = Path(__file__).parents[2]
RECORDER = Path(__file__).with_name("recorder")
TINY = {
    "download": {"source": "sample", "path": None, "per_class": 13},
    "compute": {"device": "cpu", "threads": 1},  # several tests run at once
    "train": {"epochs": 2},
    **{network.stage: {"epochs": None} for network in NETWORKS.values()},  # as in train
    "occlusion": {"patches": [32], "stride": 32},
}
ENVIRONMENT = os.environ | {
    # the stages are started as `python`, which must be the one that runs the tests
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    # neither the user's settings nor a cache that is shared may change what is tested
    "GIT_CONFIG_GLOBAL": os.devnull,
    "DVC_GLOBAL_CONFIG_DIR": str(ROOT / "no-such-folder"),
    "DVC_SYSTEM_CONFIG_DIR": str(ROOT / "no-such-folder"),
    "DVC_NO_ANALYTICS": "1",
    "COLUMNS": "200",
}


class Clone:
    """A clone of the project: call `dvc` and `git` in it, read what came out."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __truediv__(self, path: str) -> Path:
        return self.folder / path

    def start(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
        """Start a command in the clone, in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=ENVIRONMENT | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def call(self, *command: str, code: int = 0) -> str:
        """Run a command in the clone, check its exit code, return what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
        )
        assert (done.returncode != 0) == (code != 0), f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def dvc(self, *arguments: str, code: int = 0) -> str:
        return self.call("dvc", *arguments, code=code)

    def git(self, *arguments: str) -> str:
        return self.call("git", *arguments)

    def commit(self, message: str = "a run") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def set_params(self, changes: dict[str, dict]) -> None:
        yaml = YAML()
        params = yaml.load(self / "params.yaml")
        for group, values in changes.items():
            params[group].update(values)
        yaml.dump(params, self / "params.yaml")

    def copy(self, folder: Path) -> "Clone":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Clone(folder)


def stages_run(output: str) -> list[str]:
    """List the stages that DVC says it ran, in their order."""
    lines = (line.strip() for line in output.splitlines())
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


@pytest.fixture(scope="session")
def fresh_clone(tmp_path_factory) -> Clone:
    """The project's files as they stand, without any result, committed, on a tiny configuration."""
    clone = Clone(tmp_path_factory.mktemp("clone") / "project")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    results = ("fingerprints/", "metrics/", "plots/", "dvc.lock", "tests/")
    results += ("experiments/metrics/", "experiments/plots/")
    for name in filter(None, listed):
        if not name.startswith(results) and (ROOT / name).is_file():
            target = clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.set_params(TINY)
    clone.commit("the project")
    return clone


def once(tmp_path_factory, name: str, make: Callable[[Clone], None], origin: Clone) -> Clone:
    """Copy a clone and change it, once for all processes that run the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / f"{name}.lock"):
        if not (folder / name).exists():
            made = origin.copy(tmp_path_factory.mktemp(name) / "project")
            make(made)
            made.folder.rename(folder / name)
    return Clone(folder / name)


@pytest.fixture(scope="session")
def finished_clone(fresh_clone, tmp_path_factory) -> Clone:
    """A clone in which `dvc repro` has run once; what it wrote is committed."""

    def run(clone: Clone) -> None:
        opened = clone / ".git/opened"  # what each stage opens, for test_declarations
        opened.mkdir()
        recorded = {"PYTHONPATH": str(RECORDER), "OPENED": str(opened)}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in recorded.items():
                patch.setitem(ENVIRONMENT, name, value)
            output = clone.dvc("repro")
        assert len(stages_run(output)) == 15, output
        clone.commit()

    return once(tmp_path_factory, "finished", run, fresh_clone)


@pytest.fixture
def clone(finished_clone, tmp_path) -> Clone:
    """A copy of the finished clone, for one test to change."""
    return finished_clone.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def experiment(finished_clone, tmp_path_factory) -> Clone:
    """A clone with an experiment, run and committed; `.git/output` has what DVC said of it."""

    def run(clone: Clone) -> None:
        output = clone.dvc("exp", "run", "-S", "train.lr=0.01", "-S", "occlusion.patches=[12]")
        clone.commit("an experiment")
        (clone / ".git/output").write_text(output)

    return once(tmp_path_factory, "experiment", run, finished_clone)


@pytest.fixture
def second_run(experiment, tmp_path) -> Clone:
    """A copy of the clone with two runs that differ, for one test to change."""
    return experiment.copy(tmp_path / "project")
