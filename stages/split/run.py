"""Divide the images into train, validation and test, and describe what came out."""

from typing import Any

import numpy as np
import pandas as pd

from stages.common import dataset, figures
from stages.common.base import files, fingerprint
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.common.study import SPLITS
from stages.common.tables.training import SPLIT
from stages.split import assign, draw, statistics
from stages.split.params import Split


def split(settings: Split) -> None:
    """Write `data/split` and `plots/split`.

    Raises
    ------
    InputError
        The data set is missing, has no split of its own where one is wanted, or too few images.
    """
    fingerprint.record()
    source = files.read_json(dataset.RAW / "source.json")
    images = files.read_array(dataset.RAW / "images.npy")
    labels = files.read_array(dataset.RAW / "labels.npy").astype(np.int64)
    groups = assign.duplicate_groups(images)
    protocol = settings.protocol
    if protocol == "auto":
        # the official split of STL-10 is another study: it is asked for by name
        own = source["groups"] and source["source"] != "stl10"
        protocol = "source" if own else "parts"
    parts = divide(settings, protocol, source, labels, groups)
    assign.check(parts, labels, source["classes"])

    mean, std = statistics.channel_statistics(images, np.flatnonzero(parts == "train"))
    summary = statistics.summary(parts, labels, groups, source["classes"])
    fold = {} if settings.fold is None else {"fold": settings.fold}
    summary |= {"protocol": protocol} | fold
    rounded = {"mean": mean.round(6).tolist(), "std": std.round(6).tolist()}
    with files.new_folder(dataset.SPLIT_FOLDER) as folder, files.new_folder("plots/split") as plots:
        table = pd.DataFrame({"index": np.arange(len(labels)), "label": labels, "split": parts})
        files.write_csv(folder / "split.csv", table, SPLIT)
        files.write_json(folder / "statistics.json", summary | rounded)
        title = f"The data set, source {source['source']}"
        sheet = draw.contact_sheet(images, labels, parts, source["classes"], title)
        figures.save(sheet, plots / "contact_sheet.png")
    counts = ", ".join(f"{summary['images'][part]['total']:,} {part}" for part in SPLITS)
    log(f"split by {protocol}: {counts}; {summary['duplicates']['images']} exact duplicates")


def divide(
    settings: Split, protocol: str, source: dict[str, Any], labels: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Return the part that each image goes to: array of str (n,), "train", "val" or "test"."""
    if protocol == "parts":
        if settings.fold is not None:
            raise InputError(
                f"params.yaml: split.fold is {settings.fold}: a fold is a part of the source's own "
                "train, set split.protocol to source"
            )
        return assign.by_parts(labels, groups, settings.parts, settings.seed)
    origin = np.repeat(
        [group["origin"] for group in source["groups"]],
        [group["count"] for group in source["groups"]],
    )
    if not len(origin):
        raise InputError(
            f"params.yaml: split.protocol is 'source': the source {source['source']} has no split "
            "of its own, only npz, stl10 and a folder of train and test have one; parts or auto "
            "divides it at random"
        )
    if settings.fold is not None:
        return assign.with_fold(origin, read_fold(settings.fold))
    if "val" in origin:
        return origin
    return assign.with_validation(labels, groups, origin, settings.parts, settings.seed)


def read_fold(fold: int) -> np.ndarray:
    """Return the images of a published fold, integers (m,); InputError where there are no folds."""
    path = dataset.RAW / "folds.npy"
    if not path.exists():
        raise InputError(
            f"params.yaml: split.fold is {fold}, and {path} is not there: the source stl10 writes "
            "it, with download.per_class null, from an archive that has fold_indices.txt before "
            "the unlabelled images, or from the folder that any was unpacked into"
        )
    return files.read_array(path)[fold]
