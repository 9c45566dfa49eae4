"""The data set as the stages after `split` see it: a memory map of images, three index lists."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.common.base.errors import InputError
from stages.common.base.files import read_array, read_csv, read_json
from stages.common.study import SPLITS
from stages.common.tables.training import SPLIT

RAW = Path("data/raw")
SPLIT_FOLDER = Path("data/split")


@dataclass(frozen=True)
class Dataset:
    """Images, labels and the split.

    Attributes
    ----------
    images : uint8 (n, 96, 96, 3)
        RGB, mapped from disk: only what is indexed is read.
    labels : int64 (n,)
        Indices into `classes`.
    classes : list of str
    splits : dict of str to int64 array
        Indices of the images of "train", "val" and "test".
    mean, std : float64 (3,)
        Of the training images alone, a channel, on the scale 0..1.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: list[str]
    splits: dict[str, np.ndarray]
    mean: np.ndarray
    std: np.ndarray


def load(raw: Path = RAW, split: Path = SPLIT_FOLDER) -> Dataset:
    """Open what `download` and `split` wrote.

    Raises
    ------
    InputError
        A file is missing or damaged, or the two folders do not belong together.
    """
    source = read_json(raw / "source.json")
    statistics = read_json(split / "statistics.json")
    images = read_array(raw / "images.npy")
    table = read_csv(split / "split.csv", SPLIT)
    if len(table) != len(images):
        raise InputError(
            f"{split / 'split.csv'} lists {len(table)} images, {raw / 'images.npy'} holds "
            f"{len(images)}: run `dvc repro` to split anew"
        )
    return Dataset(
        images=images,
        labels=table["label"].to_numpy(np.int64, copy=True),
        classes=source["classes"],
        splits={name: np.flatnonzero(table["split"] == name) for name in SPLITS},
        mean=np.array(statistics["mean"]),
        std=np.array(statistics["std"]),
    )
