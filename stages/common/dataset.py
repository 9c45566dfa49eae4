"""The data set as the stages after `split` see it: a memory map of images, three index lists."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import AfterValidator, ConfigDict, Field

from stages.common.base.errors import InputError
from stages.common.base.files import read_array, read_csv, read_json
from stages.common.base.params import Group, check
from stages.common.study import MOST_CLASSES, SIDE, SPLITS
from stages.common.tables.training import SPLIT

RAW = Path("data/raw")
SPLIT_FOLDER = Path("data/split")


def distinct(names: list[str]) -> list[str]:
    """Refuse a name that comes twice, and one that no picture or table could show."""
    if len(set(names)) < len(names) or not all(name and name.isprintable() for name in names):
        raise ValueError("should be distinct names of printable text")
    return names


Classes = Annotated[
    list[str], Field(min_length=1, max_length=MOST_CLASSES), AfterValidator(distinct)
]
# of three channels on the scale 0..1, with room for any that float32 can subtract and divide by
Mean = Annotated[list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=3, max_length=3)]
Std = Annotated[list[Annotated[float, Field(ge=1e-6, le=1e6)]], Field(min_length=3, max_length=3)]


class _Source(Group):
    model_config = ConfigDict(extra="ignore")
    classes: Classes


class _Statistics(Group):
    model_config = ConfigDict(extra="ignore")
    mean: Mean
    std: Std


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
    source = check(_Source, read_json(raw / "source.json"), f"{raw / 'source.json'} is damaged")
    file = split / "statistics.json"
    statistics = check(_Statistics, read_json(file), f"{file} is damaged")
    images = read_array(raw / "images.npy")
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE, 3):
        raise InputError(
            f"{raw / 'images.npy'} is {images.dtype} {images.shape}: uint8 (n, 96, 96, 3) is "
            "needed: run `dvc checkout` to restore it"
        )
    table = _read_split(split / "split.csv")
    if len(table) != len(images):
        raise InputError(
            f"{split / 'split.csv'} lists {len(table)} images, {raw / 'images.npy'} holds "
            f"{len(images)}: run `dvc repro` to split anew"
        )
    if len(table) and table["label"].max() >= len(source.classes):
        raise InputError(
            f"{split / 'split.csv'} has the label {table['label'].max()}, {raw / 'source.json'} "
            f"lists {len(source.classes)} classes: run `dvc repro` to split anew"
        )
    return Dataset(
        images=images,
        labels=table["label"].to_numpy(np.int64, copy=True),
        classes=source.classes,
        splits={name: np.flatnonzero(table["split"] == name) for name in SPLITS},
        mean=np.array(statistics.mean),
        std=np.array(statistics.std),
    )


def _read_split(path: Path) -> pd.DataFrame:
    """Read `split.csv`: index 0, 1, ..., label from 0, and which split."""
    table = read_csv(path, SPLIT)
    in_order = np.array_equal(table["index"], np.arange(len(table)))
    if not in_order or (table["label"] < 0).any() or not table["split"].isin(SPLITS).all():
        raise InputError(
            f"{path} is damaged (index 0, 1, ..., a label from 0 and {', '.join(SPLITS)} are "
            "needed): run `dvc checkout` to restore it"
        )
    return table
