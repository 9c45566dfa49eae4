"""Fetch or draw the images, and write them image by image."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stages.common.base import files, fingerprint
from stages.common.base.progress import log, progress
from stages.common.study import SIDE, STL10_CLASSES
from stages.download.outs import RAW, refuse_outs, refuse_strangers
from stages.download.params import Download
from stages.download.source import Source


def download(settings: Download) -> None:
    """Write `data/raw/`.

    Raises
    ------
    InputError
        The source cannot be used, or a user's files would be lost; the line names what and where.
    """
    fingerprint.record()
    log(f"download: {settings.source}" + (f" from {settings.path}" if settings.path else ""))
    try:
        if settings.path and "://" not in settings.path:
            refuse_outs(settings.path)
        refuse_strangers()
        source = open_source(settings)
        with files.new_folder(RAW) as folder:
            write(folder, source)
            files.write_json(folder / "source.json", describe(settings, source))
    except OSError as error:
        # a full disk does not say which file it was
        error.filename = error.filename or RAW
        raise
    log(f"{len(source.labels)} images of {len(source.classes)} classes are in {RAW}")


def open_source(settings: Download) -> Source:
    """Open the source that the params name; only what that one needs is imported."""
    match settings.source:
        case "sample":
            return open_sample(settings.per_class, settings.seed)
        case "stl10":
            from stages.download import stl10 as reader
        case "npz":
            from stages.download import npz as reader
        case "folder":
            from stages.download import folder as reader
    return reader.open_source(settings.path, settings.per_class)


def open_sample(per_class: int | None, seed: int) -> Source:
    """Open the data set that the project draws itself."""
    from stages.download.sample.pictures import PER_CLASS, draw, labels

    count = PER_CLASS if per_class is None else per_class
    return Source(list(STL10_CLASSES), labels(count), draw(count, seed), has_masks=True)


def write(folder: Path, source: Source) -> None:
    """Write `images.npy`, `labels.npy` and, where the source has them, `masks.npy`, `folds.npy`.

    Image by image and without a memory map: a full disk is an error here, and would be the death
    of the process there.
    """
    count = len(source.labels)
    with ExitStack() as stack:
        images = stack.enter_context(open(folder / "images.npy", "wb"))
        write_header(images, np.uint8, (count, SIDE, SIDE, 3))
        if source.has_masks:
            masks = stack.enter_context(open(folder / "masks.npy", "wb"))
            write_header(masks, np.bool_, (count, SIDE, SIDE))
        pairs = progress(source.images, "images", count)
        for _, (image, mask) in zip(range(count), pairs, strict=True):
            images.write(image.tobytes())
            if source.has_masks:
                masks.write(mask.tobytes())
    np.save(folder / "labels.npy", source.labels)
    if source.folds is not None:
        np.save(folder / "folds.npy", source.folds)


def write_header(file: BinaryIO, dtype: type, shape: tuple[int, ...]) -> None:
    """Write the header of an `.npy` file, whose rows then follow in C order."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def describe(settings: Download, source: Source) -> dict[str, Any]:
    """Describe what was read; nothing that changes with the time, the machine or the folder."""
    counts = np.bincount(source.labels, minlength=len(source.classes))
    return {
        "source": settings.source,
        "per_class": settings.per_class,
        "classes": source.classes,
        "counts": dict(zip(source.classes, counts.tolist(), strict=True)),
        "groups": [{"origin": origin, "count": count} for origin, count in source.groups],
        "checksums": source.checksums,
    }
