"""The checksums by which DVC knows a file and a folder, so that a report names what it was made of.

`dvc.lock` itself cannot be read here: it holds the hash of the report.
"""

import hashlib
import json
from pathlib import Path


def md5(path: str | Path) -> str:
    """Return the MD5 of a file, or of a folder as `dvc.lock` has it, which ends in `.dir`."""
    path = Path(path)
    if path.is_dir():
        entries = [
            {"md5": md5(file), "relpath": file.relative_to(path).as_posix()}
            for file in path.rglob("*")
            if file.is_file()
        ]
        listing = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
        return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def _md5():
    return hashlib.md5(usedforsecurity=False)
