"""The course's own file, `hw3.npz`: images and labels of train, val and test, already split."""

import hashlib
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from stages.common.base.errors import InputError, reason
from stages.common.base.progress import log
from stages.common.study import SIDE, STL10_CLASSES
from stages.download.outs import real
from stages.download.source import Source, evenly_spaced

# images and labels of each, in the order of the file
ARRAYS = {"train": ("arr_0", "arr_1"), "val": ("arr_2", "arr_3"), "test": ("arr_4", "arr_5")}
IMAGE = (SIDE, SIDE, 3)
LONGEST_HEADER = 1000  # characters: a longer one can exhaust the parser
MOST_IMAGES = 100_000  # in one array: more is no file of this kind and might fill the disk
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the two that numpy writes


def open_source(path: str, per_class: int | None) -> Source:
    """Open an `.npz` file of six arrays; a relative path starts at the project's folder.

    `arr_0, arr_1` are images and labels of train, `arr_2, arr_3` of val, `arr_4, arr_5` of test:
    images uint8 (n, 96, 96, 3), labels integers (n,) or (n, 1), 0..9 or 1..10. Pickled content is
    never read, and an image is read only when it is asked for. `per_class` picks over the three
    together, which keeps their proportions.

    Raises
    ------
    InputError
        The file or an array cannot be used; the line names it and says what is needed.
    """
    file = real(path)
    archive = _open(file)
    counts = [_count(archive, images) for images, _ in ARRAYS.values()]
    given = {
        name: _labels(archive, name, count)
        for (_, name), count in zip(ARRAYS.values(), counts, strict=True)
    }
    labels = _zero_based(archive, given)
    picked = evenly_spaced(labels, per_class)
    ends = np.searchsorted(picked, np.cumsum(counts))
    groups = list(zip(ARRAYS, np.diff(ends, prepend=0).tolist(), strict=True))
    with open(file, "rb") as stream:
        checksums = {"npz": f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"}
    images = _images(archive, counts, picked)
    return Source(list(STL10_CLASSES), labels[picked], images, groups, checksums)


def _open(file: Path) -> zipfile.ZipFile:
    if not file.is_file():
        problem = "is not a file" if file.exists() else "is not there"
        raise InputError(f"{file} {problem}: download.path must be an .npz file")
    with _one_line(f"{file} is not an .npz file"):
        return zipfile.ZipFile(file)


@contextmanager
def _one_line(problem: str) -> Iterator[None]:
    """Turn what the zip and npy parsers raise into one line; damaged bytes may raise anything."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{problem}: {reason(error)}") from None


@contextmanager
def _array(archive: zipfile.ZipFile, name: str, needed: str):
    """Return (stream at the first value, dtype, shape) of an array that has the size it claims."""
    where = f"{archive.filename}: {name}"
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise InputError(f"{where} is missing: {needed} is needed") from None
    if info.compress_type not in COMPRESSIONS or info.flag_bits & 1:
        allowed = "save it with np.savez or np.savez_compressed"
        raise InputError(f"{where} is compressed or encrypted in a way that is not read: {allowed}")
    with _one_line(f"{where} is damaged ({needed} is needed)"), archive.open(info) as stream:
        dtype, shape = _header(stream)
        if dtype.hasobject:
            raise InputError(f"{where} holds pickled objects, never read: {needed} is needed")
        if info.file_size != stream.tell() + math.prod(shape) * dtype.itemsize:
            raise InputError(f"{where} has not the length that {dtype} {shape} takes: cut short?")
        yield stream, dtype, shape


def _header(stream: IO[bytes]) -> tuple[np.dtype, tuple[int, ...]]:
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        # later versions are for headers beyond 64 KB, which no array of numbers has
        raise ValueError(f"npy version {version[0]}.{version[1]}")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream, LONGEST_HEADER)
    if fortran_order:
        raise ValueError("Fortran order, save np.ascontiguousarray(...) instead")
    return dtype, shape


def _count(archive: zipfile.ZipFile, name: str) -> int:
    """Count the images of an array, from its header alone."""
    needed = "uint8 (n, 96, 96, 3)"
    with _array(archive, name, needed) as (_, dtype, shape):
        if dtype != np.uint8 or shape[1:] != IMAGE:
            raise InputError(f"{archive.filename}: {name} is {dtype} {shape}: {needed} is needed")
        if not 1 <= shape[0] <= MOST_IMAGES:
            allowed = f"1 to {MOST_IMAGES} are allowed"
            raise InputError(f"{archive.filename}: {name} has {shape[0]} images: {allowed}")
        return shape[0]


def _labels(archive: zipfile.ZipFile, name: str, count: int) -> np.ndarray:
    """Read the labels as they are, uint8 (count,), 0..10."""
    needed = f"integers ({count},)"
    with _array(archive, name, needed) as (stream, dtype, shape):
        if dtype.kind not in "iu" or shape not in ((count,), (count, 1)):
            raise InputError(f"{archive.filename}: {name} is {dtype} {shape}: {needed} is needed")
        values = np.frombuffer(stream.read(), dtype)
    if values.min() < 0 or values.max() > 10:
        found = f"labels from {values.min()} to {values.max()}"
        raise InputError(f"{archive.filename}: {name} has {found}: 0..9 (or 1..10) is needed")
    return values.astype(np.uint8)


def _zero_based(archive: zipfile.ZipFile, given: dict[str, np.ndarray]) -> np.ndarray:
    """Join the labels of all arrays; where they run from 1 to 10, count from 0."""
    labels = np.concatenate(list(given.values()))
    if labels.max() < len(STL10_CLASSES):
        return labels
    if labels.min() >= 1:
        log("labels run from 1 to 10 in this file: 1 is read as the first class")
        return labels - np.uint8(1)
    name = next(name for name, values in given.items() if values.max() == 10)
    raise InputError(f"{archive.filename}: {name} has the label 10 beside 0: 0..9 is needed")


def _images(
    archive: zipfile.ZipFile, counts: list[int], picked: np.ndarray
) -> Iterator[tuple[np.ndarray, None]]:
    """Read image after image and hand on the picked ones."""
    wanted = np.zeros(sum(counts), dtype=bool)
    wanted[picked] = True
    flags = iter(wanted.tolist())
    for name, _ in ARRAYS.values():
        with _array(archive, name, "uint8 (n, 96, 96, 3)") as (stream, _, shape):
            for _ in range(shape[0]):
                content = stream.read(math.prod(IMAGE))
                if next(flags):
                    yield np.frombuffer(content, np.uint8).reshape(IMAGE), None
