"""A temporary clone of a project, in which the pipeline runs from scratch."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from stages.common.base import files
from stages.common.base.errors import InputError
from stages.common.base.params import parse
from tools.verify.compare import Run, doubts
from tools.verify.emulator import write_python


@contextmanager
def temporary_clone(project: Path) -> Iterator["Clone"]:
    """Clone the HEAD of a project into a folder that is removed at the end.

    InputError where the folder is not the top of a Git repository with the settings of DVC.
    """
    with tempfile.TemporaryDirectory(prefix="verify-", ignore_cleanup_errors=True) as folder:
        git("clone", "--quiet", "--no-tags", str(project), f"{folder}/project", cwd=project)
        if not Path(folder, "project/.dvc").is_dir():
            raise InputError(f"{project} has no .dvc in its last commit: call it from the top")
        yield Clone(Path(folder))


def git(*arguments: str, cwd: Path) -> str:
    """Call Git and return what it prints; InputError with Git's own words if it fails."""
    command = ["git", *arguments]
    options = {"encoding": "utf-8", "errors": "replace"}
    done = subprocess.run(command, cwd=cwd, capture_output=True, **options)
    if done.returncode:
        raise InputError(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


class Clone:
    """A clone, with a cache of its own and without the user's settings of DVC."""

    def __init__(self, folder: Path):
        self.folder, self.project = folder, folder / "project"
        self.environment = os.environ | {
            # the stages are started as `python`, which must be the one that runs this
            "PATH": os.pathsep.join(
                [str(folder / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
            ),
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(folder / "settings"),
            "DVC_SYSTEM_CONFIG_DIR": str(folder / "settings"),
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
        }
        own = self.project / ".dvc/config.local"
        own.write_text("[cache]\n    dir = cache\n", encoding="utf-8")

    def set_params(self, overrides: list[str]) -> None:
        """Change `params.yaml` as `dvc exp run -S` does."""
        apply_overrides(self.project / "params.yaml", overrides)

    def emulate(self, processor: str) -> None:
        """Have the stages run as if on another processor."""
        write_python(self.folder / "bin/python", processor)

    def link_source(self, project: Path) -> None:
        """Let a relative `download.path` lead to the project's file, which Git does not carry."""
        path = parse(self.project / "params.yaml").get("download", {}).get("path")
        if path and (project / path).exists() and not (self.project / path).exists():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).symlink_to((project / path).resolve())

    def remove_results(self) -> None:
        """Remove what the committed run left, so that no stage counts as up to date."""
        for out in read(self.project).outs:
            path = self.project / out
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.project / "fingerprints", ignore_errors=True)
        (self.project / "dvc.lock").unlink(missing_ok=True)

    def repro(self) -> None:
        """Call `dvc repro` and let through what it prints; InputError if it failed."""
        # in a session of its own, so that it can be ended as a whole
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro"],
            cwd=self.project,
            env=self.environment,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # nothing of it is kept, so nothing need be tidied up
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            raise
        if code:
            raise InputError("dvc repro failed, see above")


def read(project: Path) -> Run:
    """Read what the last run of a project left."""
    stages = _stages(project)
    outs = {o["path"]: o["md5"] for stage in stages.values() for o in stage.get("outs", [])}
    metrics = {out: project / out for out in outs if out.startswith("metrics/")}
    fingerprints = {stage: project / f"fingerprints/{stage}.json" for stage in stages}
    return Run(outs, _contents(fingerprints), _contents(metrics))


def committed_doubts(project: Path) -> list[str]:
    """List what shows that a project's results are not of one run, a line each."""
    lines = (project / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {line.partition(" ;")[0].strip() for line in lines}
    compute = parse(project / "params.yaml").get("compute", {})
    return doubts(read(project), _stages(project), locked, compute)


def _stages(project: Path) -> dict[str, dict]:
    lock = project / "dvc.lock"
    return YAML(typ="safe").load(lock)["stages"] if lock.exists() else {}


def _contents(paths: dict[str, Path]) -> dict[str, dict]:
    return {key: files.read_json(path) for key, path in paths.items() if path.is_file()}
