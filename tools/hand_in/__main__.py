"""Pack what is handed in: `python -m tools.hand_in`, or `make hand-in`.

One zip with the report, a notebook that was run, the code, the params and the lock; and the report
beside it.
"""

import argparse
import hashlib
import io
import json
import zipfile
from pathlib import Path

from stages.common.base import files, params, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.report.naming import stem
from stages.report.params import Report
from tools.verify.clone import git

OUT = Path("hand-in")
LEFT_OUT = "plots/"  # the report shows them, and they are as large as all else


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.hand_in", description=__doc__).parse_args()
    author = params.read(Report, "report")
    name = stem(author.author, author.student_number)
    report = Path("report", f"{name}.pdf")
    if not report.is_file():
        raise InputError(f"{report} is not there: run `dvc repro` to write it")
    contents = tracked_files()
    if "dvc.lock" not in contents:
        raise InputError("dvc.lock is not in Git: run `dvc repro` and commit what it writes")

    import nbformat

    from tools.hand_in import notebook

    log("hand-in: running the notebook, less than a minute")
    walkthrough = notebook.from_markdown(notebook.SOURCE.read_text(encoding="utf-8"))
    notebook.execute(walkthrough, Path.cwd())

    changed = git("status", "--porcelain", cwd=Path()).splitlines()
    origin = {
        "commit": git("rev-parse", "HEAD", cwd=Path()).strip(),
        "changed_since": [line[3:] for line in changed],
        "dvc_lock_md5": hashlib.md5(contents["dvc.lock"][0], usedforsecurity=False).hexdigest(),
        "left_out": [LEFT_OUT],
    }
    contents |= {
        f"{name}.pdf": (report.read_bytes(), False),
        f"{name}.ipynb": (nbformat.writes(walkthrough).encode() + b"\n", False),
        "hand-in.json": (json.dumps(origin, indent=2).encode() + b"\n", False),
    }
    packed = pack(name, contents)
    files.write_bytes(OUT / f"{name}.pdf", report.read_bytes())
    files.write_bytes(OUT / f"{name}.zip", packed)
    if changed:
        log(f"hand-in: not committed, and packed as they are here: {len(changed)} changes")
    log(f"{OUT}/{name}.zip: {len(contents)} files, {len(packed) / 1e6:.1f} MB")


def tracked_files() -> dict[str, tuple[bytes, bool]]:
    """Read what Git tracks: content, and whether it can be executed, by path."""
    paths = [path for path in git("ls-files", "-z", cwd=Path()).split("\0") if path]
    return {
        path: (Path(path).read_bytes(), bool(Path(path).stat().st_mode & 0o100))
        for path in paths
        if not path.startswith(LEFT_OUT) and Path(path).is_file()
    }


def pack(folder: str, contents: dict[str, tuple[bytes, bool]]) -> bytes:
    """Make a zip whose bytes depend on nothing but what is in it.

    Parameters
    ----------
    folder : str
        In which all files are.
    contents : dict of str to (content, executable)
        By path.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, (content, executable) in sorted(contents.items()):
            info = zipfile.ZipInfo(f"{folder}/{path}")  # dated 1980, whenever it is packed
            info.create_system = 3  # the rights are those of Unix on every system
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


if __name__ == "__main__":
    process.run_main(main, then="`make hand-in` starts again")
