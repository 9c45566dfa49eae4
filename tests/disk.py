"""A small disk that can be filled up, for the tests of what a full one does."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MOUNT = """
mount -t tmpfs -o size="$1" disk "$2" && mkdir "$2/project" && cd "$2/project" &&
echo mounted && exec cat
"""


class Disk:
    """A disk that only the commands run on it see.

    Attributes
    ----------
    project : Path
        An empty folder on it, by a path that leads there from outside.
    enter : list of str
        What a command begins with to run there.
    """

    def __init__(self, holder: int, folder: Path):
        root = Path(f"/proc/{holder}/root{folder}")
        self.project = root / "project"
        self.enter = ["nsenter", "--preserve-credentials", "--user", "--mount", "--wd"]
        self.enter += ["--target", str(holder)]
        self._ballast = root / "ballast"

    def fill(self, free: int) -> None:
        """Leave so many bytes free."""
        self.empty()
        disk = os.statvfs(self.project)
        with open(self._ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - free)

    def empty(self) -> None:
        """Take away what filled it up."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Disk]:
    """Mount a disk on a folder for as long as the context lasts; skip the test if none can be."""
    folder.mkdir()
    # in namespaces of its own a user may mount, and nothing stays mounted whatever happens
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    command += ["sh", "-c", MOUNT, "sh", size, str(folder)]
    try:
        holder = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except FileNotFoundError as error:
        pytest.skip(f"no disk can be mounted: {error}")
    with holder:  # it ends with its standard input
        if (answer := holder.stdout.readline().strip()) != "mounted":
            pytest.skip(f"no disk can be mounted: {answer}")
        yield Disk(holder.pid, folder)
