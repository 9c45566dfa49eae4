"""Image files in folders as people have them: found by their content, read by all cores."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from stages.common import images
from stages.common.base import processes
from stages.common.base.errors import InputError

# a file of such a name that is no image is a damaged one: it is told, not left out
EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp", ".gif")
RAW = (".dng", ".nef", ".cr2", ".arw", ".pef", ".srw")  # of cameras: a TIFF of a thumbnail
SYSTEM = {"@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "__macosx", "lost+found"}
LOOSE, OTHER = "loose image{} beside the classes", "other file{}"
MOST_NAMED = 20  # broken images in one message

Read = tuple[np.ndarray | None, bytes, str]  # the image, the SHA-256 of its file, what is wrong


def visible(folder: str | Path) -> list[os.DirEntry]:
    """List what lies in a folder, by name, without what is hidden or a system's own."""
    with os.scandir(folder) as entries:
        kept = [e for e in entries if e.name[0] != "." and e.name.lower() not in SYSTEM]
    return sorted(kept, key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry) -> bool:
    """Tell whether an entry is a folder or a link to one; of a link that leads nowhere, no."""
    # the listing knows it, unlike of a link, for which the entry's own method may fail
    return os.path.isdir(entry) if entry.is_symlink() else entry.is_dir()


def is_file(entry: os.DirEntry) -> bool:
    """Tell whether an entry is a file or a link to one; of a link that leads nowhere, no."""
    return os.path.isfile(entry) if entry.is_symlink() else entry.is_file()


def find(folder: Path) -> tuple[list[Path], Counter[str]]:
    """List the images anywhere below a folder, and count by kind what is left out.

    Links are followed, and a folder is read once, however many links lead to it.

    Returns
    -------
    list of Path
        Sorted by relative path, character by character.
    Counter of str
        How many files of which kind are no image that can be read; `told` puts it into words.
    """
    found, left, seen, folders = [], Counter(), set(), [folder]
    while folders:
        parent = folders.pop()
        if (real := os.path.realpath(parent)) in seen:
            continue
        seen.add(real)
        for entry in visible(parent):
            if is_folder(entry):
                folders.append(entry.path)
            elif kind := _left_out_as(entry):
                left[kind] += 1
            else:
                found.append(Path(entry.path))
    return sorted(found, key=Path.as_posix), left


def beside(folder: Path) -> Counter[str]:
    """Count by kind the files that lie in a folder of folders, where no image is looked for."""
    return Counter(_left_out_as(entry) or LOOSE for entry in visible(folder) if is_file(entry))


def _left_out_as(entry: os.DirEntry) -> str | None:
    """Return None for an image, for another file the kind that it is counted as."""
    content, extension = b"", os.path.splitext(entry.name)[1].lower()
    if is_file(entry):  # a pipe would be waited for
        with suppress(PermissionError), open(entry, "rb", buffering=0) as stream:
            content = stream.read(1000)
    kind = "camera raw" if extension in RAW else images.kind(content)
    if kind in images.FORMATS or (kind is None and extension in EXTENSIONS):
        return None
    return kind or OTHER


def told(left: Counter[str]) -> str:
    """Put what was left out into words: "30 HEIC (convert to JPEG), 3 other files"."""
    words = []
    for kind, count in sorted(left.items()):
        cure = "" if "{}" in kind else " (convert to JPEG)"
        words.append(f"{count} {kind.format('' if count == 1 else 's')}{cure}")
    return ", ".join(words)


def read(
    files: Sequence[Path], broken: list[str]
) -> Iterator[tuple[Path, np.ndarray | None, bytes]]:
    """Return (file, uint8 (96, 96, 3), SHA-256 of the content) of each image, in their order.

    Of a broken one that is None and b"", and what is wrong with it goes to the end of `broken`, a
    line each: `refusal` joins the lines.

    Raises
    ------
    InputError
        The system has ended one of the processes that read.
    """
    results = processes.in_order(_read, files)
    for file, (image, checksum, problem) in zip(files, results, strict=True):
        if problem:
            broken.append(problem)
        yield file, image, checksum


def _read(file: Path) -> Read:
    try:
        image, content = images.read(file)
    except (InputError, OSError) as error:
        system = isinstance(error, OSError)
        return None, b"", f"{file}: {error.strerror}" if system else str(error)
    return image, hashlib.sha256(content).digest(), ""


def refusal(broken: list[str]) -> InputError:
    """Return the error that names broken images in one line, where they are many the first."""
    count = f"{len(broken)} images cannot be used: " if len(broken) > 1 else ""
    more = f"; and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
    return InputError(count + "; ".join(broken[:MOST_NAMED]) + more)
