"""A temporary clone of a project, in which the pipeline runs from scratch."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides

from stages.common.base.errors import InputError
from stages.common.base.params import parse
from tools.verify.compare import Run, read_lock


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
        self.project = folder / "project"
        # the stages are started as `python`, which must be the one that runs this
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.environment = os.environ | {
            "PATH": path,
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(folder / "settings"),
            "DVC_SYSTEM_CONFIG_DIR": str(folder / "settings"),
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
        }
        own = self.project / ".dvc/config.local"
        own.write_text("[cache]\n    dir = cache\n", encoding="utf-8")

    def set_params(self, overrides: list[str]) -> None:
        """Change `params.yaml` as `dvc exp run -S` does; InputError if that cannot be."""
        for override in overrides:
            try:
                apply_overrides(self.project / "params.yaml", [override])
            except DvcException as error:
                words = str(error.__cause__ or error).splitlines()[:2]
                raise InputError(f"--set {override}: {'; '.join(words)}") from None

    def link_source(self, project: Path) -> None:
        """Let a relative `download.path` lead to the project's file, which Git does not carry."""
        path = parse(self.project / "params.yaml").get("download", {}).get("path")
        if path and (project / path).exists() and not (self.project / path).exists():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).symlink_to((project / path).resolve())

    def remove_results(self) -> None:
        """Remove what the committed run left, so that no stage counts as up to date."""
        for _, out, _ in self.read().outs():
            path = self.project / out
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(self.project / "fingerprints", ignore_errors=True)
        (self.project / "dvc.lock").unlink(missing_ok=True)

    def read(self) -> Run:
        """Read what the last run left."""
        lock = read_lock(self.project / "dvc.lock")
        fingerprints = {stage: self._json(f"fingerprints/{stage}.json") for stage in lock}
        outs = [out["path"] for entry in lock.values() for out in entry.get("outs", [])]
        metrics = {out: self._json(out) for out in outs if out.startswith("metrics/")}
        kept = [{k: v for k, v in found.items() if v} for found in (fingerprints, metrics)]
        return Run(lock, *kept)

    def _json(self, path: str) -> dict | None:
        file = self.project / path
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None

    def repro(self, *options: str) -> None:
        """Call `dvc repro` and let through what it prints; InputError if it failed."""
        # in a session of its own, so that it can be ended as a whole
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", *options],
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
            raise InputError(f"dvc repro {' '.join(options)}".rstrip() + " failed, see above")
