"""Fetch the library of the page of `explore` and check it: `make explore-page`.

Preact, which draws what has changed of a page, comes from npm as its makers built it; the package
is known by its checksum, and the file is kept in the repository, so that neither the stage nor the
page needs a network.
"""

import base64
import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "preact@10.29.8"
INTEGRITY = (
    "sha512-ej2aVZ+vZ8WO7tvlQWRM9N63A0KzF9q4mWJfDUHgYaIofWY9hu74Q"
    "dnQrjoPMmZi2/nZ5gN0bJCQF49xQqx09Q=="
)
MEMBERS = ("dist/preact.min.js", "LICENSE")
FILE = Path(__file__).parents[2] / "stages/explore/page/preact.js"


def fetch(package: str, integrity: str) -> tuple[str, str]:
    """Fetch a package; return the script for browsers and the licence in it.

    Raises
    ------
    SystemExit
        npm is not installed or finds nothing, or the package is another than its checksum says.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", package, "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise SystemExit("error: npm is needed to fetch the package") from None
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"error: npm: {error.stderr.strip().splitlines()[-1]}") from None
        (archive,) = Path(folder).iterdir()
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if (found := f"sha512-{digest}") != integrity:
            raise SystemExit(f"error: {package} has the checksum {found}, not {integrity}")
        with tarfile.open(archive) as files:
            read = (files.extractfile(f"package/{name}").read().decode() for name in MEMBERS)
            return tuple(read)


def script(built: str, licence: str) -> str:
    """Put the licence before the script; leave out where a debugger would look for its source."""
    built = re.sub(r"\n//# sourceMappingURL=.*\n?", "\n", built)
    return f"/*! {PACKAGE}\n\n{licence.strip()}\n*/\n{built}"


if __name__ == "__main__":
    FILE.write_text(script(*fetch(PACKAGE, INTEGRITY)), encoding="utf-8", newline="\n")
