"""Any folder of images with one subfolder a class, or with those below train, val and test."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stages.common import image_files
from stages.common.base.errors import InputError
from stages.common.base.names import fault, twins
from stages.common.base.progress import log
from stages.common.study import MOST_CLASSES, SPLITS
from stages.download.outs import real, refuse_outs
from stages.download.source import Source, evenly_spaced

# as in train, Training, val_images, test2017, seg_test
PARTS = {
    part: re.compile(rf"(.*[\W\d_])?{word}(set|data|images?|imgs?)?([\W\d_].*)?", re.IGNORECASE)
    for part, word in zip(SPLITS, ("train(ing)?", "val(id(ation)?)?", "test(ing)?"), strict=True)
}


def open_source(path: str, per_class: int | None) -> Source:
    """Open a folder of images; a relative path starts at the project's folder.

    The order is train, val, test where there are such, and within them that of the relative paths,
    character by character, whatever the locale and the file system say. `per_class` picks before
    any image is read, over the parts together. One line says what was left out.

    Raises
    ------
    InputError
        The folder, a class or an image cannot be used; the line names the path.
    """
    root = real(path)
    parts = part_folders(root)
    folders = parts or {"": root}
    classes = same_classes(folders)
    files, left = [], Counter()
    for folder in folders.values():
        files.append([_images(folder / name, left) for name in classes])
    beside = [path for path in _subfolders(root) if parts and path not in parts.values()]
    left += Counter({"folder{} beside train and test": len(beside)})
    for folder in {root, *folders.values()}:
        left += image_files.beside(folder)
    if left:
        log(f"left out: {image_files.told(left)}")
    every = [file for part in files for paths in part for file in paths]
    # where links lead to: a file that is none lies where its folder does
    refuse_outs(*{os.path.dirname(file) for file in every}, *filter(os.path.islink, every))
    sizes = np.array([[len(paths) for paths in part] for part in files])
    labels = np.repeat(np.tile(np.arange(len(classes), dtype=np.uint8), len(files)), sizes.ravel())
    picked = evenly_spaced(labels, per_class)
    counts = np.diff(np.searchsorted(picked, sizes.sum(axis=1).cumsum()), prepend=0).tolist()
    groups = list(zip(parts, counts, strict=True)) if parts else []
    checksums: dict[str, str] = {}
    pixels = _read(root, [every[index] for index in picked], checksums)
    return Source(classes, labels[picked], pixels, groups, checksums)


def _images(folder: Path, left: Counter[str]) -> list[Path]:
    """List the images of a class, and count what is left out; InputError if there is none."""
    found, others = image_files.find(folder)
    if not found:
        only = f", only {image_files.told(others)}" if others else ""
        raise InputError(f"{folder} holds no image{only}: each class needs one")
    left += others
    return found


def part_folders(root: Path) -> dict[str, Path]:
    """Return the folders of train, val and test, in this order; empty where there are none.

    Without a folder of test that of val takes its place, and the split takes val from train.

    Raises
    ------
    InputError
        There is no train, a part is there twice, or only one part is there.
    """
    every = _subfolders(root)
    found = {part: [f for f in every if name.fullmatch(f.name)] for part, name in PARTS.items()}
    found = {part: folders for part, folders in found.items() if folders}
    parts = [folder for folders in found.values() for folder in folders]
    # classes may be called train station and test tube: parts have classes below
    nested = any(len(_subfolders(folder)) > 1 for folder in parts)
    if not nested and (len(found) < 2 or len(parts) < len(every)):
        return {}
    for part, folders in found.items():
        if len(folders) > 1:
            names = " and ".join(folder.name for folder in folders)
            raise InputError(f"{root} has {names} for {part}: one folder is needed")
    if "train" not in found or len(found) == 1:
        lacks = "test" if "train" in found else "train"
        raise InputError(
            f"{root} has {parts[0].name} but nothing for {lacks}: set download.path to the folder "
            "that holds the classes, to divide its images at random, or rename what is a class"
        )
    if "test" not in found:
        found["test"] = found.pop("val")
        log(f"no test in {root}: {parts[1].name} takes its place, and val is taken from train")
    return {part: found[part][0] for part in SPLITS if part in found}


def _subfolders(folder: Path) -> list[Path]:
    """List the visible subfolders of a folder; InputError if it is none."""
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "is not there"
        raise InputError(
            f"{folder} {problem}: download.path must hold one subfolder for each class"
        )
    visible = filter(image_files.is_folder, image_files.visible(folder))
    return [Path(entry.path) for entry in visible]


def same_classes(folders: dict[str, Path]) -> list[str]:
    """List the names of the classes, sorted.

    Raises
    ------
    InputError
        A folder does not have 2 to 256 subfolders, or not those of the others, or one has a name
        that a class must not have.
    """
    names = {folder: [path.name for path in _subfolders(folder)] for folder in folders.values()}
    every = sorted({*sum(names.values(), [])})
    if alike := twins(every):
        where = " and ".join(map(str, folders.values()))
        raise InputError(f"{where}: {alike[0]!a} and {alike[1]!a} look alike: rename one of them")
    for folder, own in names.items():
        if missing := [name for name in every if name not in own]:
            shown = ", ".join(map(repr, missing[:5])) + (", ..." if len(missing) > 5 else "")
            raise InputError(
                f"{folder} lacks folders of the classes {shown}: train, val and test need the same "
                f"ones, or download.path is {folders['train']}, to be divided at random"
            )
        if not 2 <= len(own) <= MOST_CLASSES:
            nested = len(own) == 1 and _subfolders(folder / own[0])
            within = f" (are they in {folder / own[0]}?)" if nested else ""
            raise InputError(
                f"{folder} has {len(own)} subfolders{within}: one for each class is needed, "
                f"2 to {MOST_CLASSES} classes"
            )
        for name in own:
            if wrong := fault(name):
                place = f"{str(folder / name)!a}" if not name.isprintable() else folder / name
                raise InputError(f"{place}: the name of a class {wrong}: rename the folder")
    return every


def _read(
    root: Path, files: list[Path], checksums: dict[str, str]
) -> Iterator[tuple[np.ndarray, None]]:
    """Decode file after file, and sum up names and contents in one checksum of the folder."""
    total, broken, start = hashlib.sha256(), [], len(root.as_posix()) + 1
    for file, image, checksum in image_files.read(files, broken):
        name = file.as_posix()[start:].encode("utf-8", "surrogateescape")
        total.update(name + b"\0" + checksum)
        # after a broken image the others are only looked at, so that all such are told at once
        if not broken:
            yield image, None
    if broken:
        raise image_files.refusal(broken)
    checksums["images"] = f"sha256:{total.hexdigest()}"
