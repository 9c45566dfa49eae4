"""Any folder of images with one subfolder a class, as torchvision's `ImageFolder` reads it."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stages.common import images
from stages.common.base.errors import InputError
from stages.common.study import MOST_CLASSES
from stages.download.outs import refuse_outs
from stages.download.source import Source, evenly_spaced


def open_source(path: str, per_class: int | None) -> Source:
    """Open a folder of images; a relative path starts at the project's folder.

    The order is that of the relative paths, character by character, whatever the locale and the
    file system say. Hidden files and folders are left out. `per_class` picks before any image is
    read.

    Raises
    ------
    InputError
        The folder, a class or an image cannot be used; the line names the path.
    """
    root = Path(os.path.expanduser(path)).resolve()
    classes = class_folders(root)
    files = [image_files(root / name) for name in classes]
    labels = np.repeat(np.arange(len(classes), dtype=np.uint8), [len(paths) for paths in files])
    picked = evenly_spaced(labels, per_class)
    every = [file for paths in files for file in paths]
    refuse_outs(*every)
    checksums: dict[str, str] = {}
    pixels = _read(root, [every[index] for index in picked], checksums)
    return Source(classes, labels[picked], pixels, checksums=checksums)


def class_folders(root: Path) -> list[str]:
    """List the names of the classes, sorted.

    Raises
    ------
    InputError
        `root` is no folder, or does not have 2 to 256 subfolders.
    """
    if not root.is_dir():
        problem = "is not a folder" if root.exists() else "is not there"
        raise InputError(f"{root} {problem}: download.path must hold one subfolder for each class")
    names = sorted(e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith("."))
    if not 2 <= len(names) <= MOST_CLASSES:
        raise InputError(
            f"{root} has {len(names)} subfolders: one for each class is needed, "
            f"2 to {MOST_CLASSES} classes"
        )
    for name in names:
        if not name.isprintable():
            raise InputError(f"{str(root / name)!a}: the name of a class must be printable text")
    return names


def image_files(folder: Path) -> list[Path]:
    """List the images of a class.

    Raises
    ------
    InputError
        There is none.
    """
    if not (found := images.find(folder)):
        kinds = " ".join(images.EXTENSIONS)
        raise InputError(f"{folder} holds no image: each class needs one ({kinds})")
    return found


def _read(
    root: Path, files: list[Path], checksums: dict[str, str]
) -> Iterator[tuple[np.ndarray, None]]:
    """Decode file after file, and sum up names and contents in one checksum of the folder."""
    total = hashlib.sha256()
    for file in files:
        image, content = images.read(file)
        name = file.relative_to(root).as_posix().encode("utf-8", "surrogateescape")
        total.update(name + b"\0" + hashlib.sha256(content).digest())
        yield image, None
    checksums["images"] = f"sha256:{total.hexdigest()}"
