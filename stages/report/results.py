"""What the stages before have written, read and checked."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field

from stages.common.base.errors import InputError
from stages.common.base.files import read_csv, read_json
from stages.common.base.params import Group, check
from stages.common.dataset import Classes
from stages.common.study import NETWORKS, SPLITS

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
GALLERY = {
    "gallery": str,
    "class": str,
    "rank": int,
    "actual": str,
    "predicted": str,
    "score": float,
}
DISTANCES = {"first": str, "second": str, "class": str, "first_errors": int, "second_errors": int}
DISTANCES |= {"distance": float, "distance_by_chance": float}
# as a sentence names them
WORDS = {
    "q1": "shallow CNN",
    "q2": "deep CNN",
    "augment": "augmented deep CNN",
    "better": "better CNN",
}
HISTORY = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "test_accuracy")


class _Known(Group):
    """A file may hold more than what is asked of it here."""

    model_config = ConfigDict(extra="ignore")


class Interval(_Known):
    """Wilson's, 95 %."""

    low: Share
    high: Share


class Measured(_Known):
    """A network on one split."""

    accuracy: Share
    accuracy_interval: Interval
    loss: float
    macro_f1: Share
    expected_calibration_error: Share
    tta_accuracy: Share | None = None


class Agreement(_Known):
    """Two confusion matrices of a network; None where there are too few errors."""

    rank_correlation: float | None
    rank_p: Share | None
    error_distance: float | None
    error_distance_by_chance: float | None
    error_distance_p: Share | None


class Pair(_Known):
    """Two networks on the same images: how many each alone classifies correctly, McNemar's p."""

    only_first: Count
    only_second: Count
    p: Share
    p_holm: Share


class Metrics(_Known):
    """`metrics/<network>.json`."""

    best_epoch: Count
    parameters: Count
    multiply_accumulates: Count
    train: Measured
    val: Measured
    test: Measured
    agreement: dict[str, Agreement]


class Patch(_Known):
    """What one size of the patch does to the images of a gallery; None where there are none."""

    largest_drop: float | None
    largest_rise_of_actual: float | None
    flip_share: Share | None
    pointing_game: Share | None = None


class Occluded(_Known):
    """The images of one gallery."""

    images: Count
    object_share: Share | None = None
    rank_agreement: dict[str, float | None]


class Source(_Known):
    """`data/raw/source.json`."""

    source: str
    classes: Classes
    checksums: dict[str, str] = {}


class Images(_Known):
    """How many images a split has."""

    total: Count
    by_class: dict[str, Count]


class Duplicates(_Known):
    """Exact ones."""

    images: Count
    across_splits: Count


class Split(_Known):
    """`data/split/statistics.json`."""

    protocol: str
    images: dict[str, Images]
    duplicates: Duplicates
    mean: list[float]
    std: list[float]


@dataclass(frozen=True)
class Network:
    """A trained network and all that is known of it.

    Attributes
    ----------
    name, title, words : str
        Such as "q1", "Shallow CNN" above a picture, and "shallow CNN" in a sentence.
    settings : dict
        Its hyperparameters, resolved.
    metrics : Metrics
    history : DataFrame
        A row an epoch.
    confusion : dict of str to int64 (c, c)
        Counts of each split, rows are actual, columns predicted classes.
    distances : DataFrame
        How differently the errors of each class are spread on any two splits.
    galleries : DataFrame
    """

    name: str
    title: str
    words: str
    settings: dict[str, Any]
    metrics: Metrics
    history: pd.DataFrame
    confusion: dict[str, np.ndarray]
    distances: pd.DataFrame
    galleries: pd.DataFrame


def read_network(name: str, settings: dict[str, Any], classes: list[str]) -> Network:
    """Read the metrics and tables of one network; InputError where they are missing or damaged."""
    file = f"metrics/{name}.json"
    folder = Path("plots", name)
    metrics = check(Metrics, read_json(file), f"{file} is damaged")
    pairs = ["_".join(pair) for pair in combinations(SPLITS, 2)]
    if not set(pairs) <= set(metrics.agreement):
        raise InputError(f"{file} is damaged: {', '.join(pairs)} are needed under agreement")
    history = read_csv(folder / "curves.csv", {"epoch": int} | dict.fromkeys(HISTORY, float))
    if history.empty:
        raise InputError(f"{folder / 'curves.csv'} is empty: run `dvc checkout` to restore it")
    confusion = {}
    for split in SPLITS:
        path = folder / f"confusion_{split}.csv"
        table = read_csv(path, {"actual": str, "predicted": str})
        actual, predicted = (_codes(table[c], classes, path) for c in ("actual", "predicted"))
        counts = np.zeros((len(classes),) * 2, np.int64)
        np.add.at(counts, (actual, predicted), 1)
        confusion[split] = counts
    return Network(
        name,
        NETWORKS[name].title,
        WORDS[name],
        settings,
        metrics,
        history,
        confusion,
        read_csv(folder / "agreement.csv", DISTANCES),
        read_csv(folder / "galleries.csv", GALLERY),
    )


def _codes(names: pd.Series, classes: list[str], path: Path) -> np.ndarray:
    codes = pd.Index(classes).get_indexer(names)
    if (codes < 0).any() or not len(codes):
        raise InputError(
            f"{path} does not list images of the classes of data/raw/source.json: run `dvc repro` "
            "to make it anew"
        )
    return codes.astype(np.int64)


def read_pairwise(
    names: list[str], file: str = "metrics/pairwise.json"
) -> dict[tuple[int, int], Pair]:
    """Read how any two networks compare on test, by their places in `names`."""
    content, damaged = read_json(file), f"{file} is damaged"
    content = content if isinstance(content, dict) else {}
    return {
        (i, j): check(Pair, content.get(f"{names[i]}_{names[j]}"), damaged)
        for i, j in combinations(range(len(names)), 2)
    }


def read_occlusion(file: str = "metrics/occlusion.json"):
    """Read what occlusion measures.

    Returns
    -------
    network : str
    galleries : dict of str to (Occluded, dict of int to Patch)
        The images of each gallery, and what each size of the patch does, smallest first.
    """
    content = read_json(file)
    damaged = f"{file} is damaged"
    network = content.get("network") if isinstance(content, dict) else None
    if network not in NETWORKS:
        raise InputError(f"{damaged}: it names no network: run `dvc checkout` to restore it")
    galleries = {}
    for kind in ("correct", "misclassified"):
        values = content.get(kind) or {}
        sizes = sorted(int(key[6:]) for key in values if key[:6] == "patch_" and key[6:].isdigit())
        patches = {size: check(Patch, values[f"patch_{size}"], damaged) for size in sizes}
        galleries[kind] = check(Occluded, values, damaged, group=kind), patches
    return network, galleries


def read_source(file: str = "data/raw/source.json") -> Source:
    """Read what the data set is."""
    return check(Source, read_json(file), f"{file} is damaged")


def read_split(file: str = "data/split/statistics.json") -> Split:
    """Read how it is divided."""
    split = check(Split, read_json(file), f"{file} is damaged")
    if set(split.images) != set(SPLITS):
        raise InputError(f"{file} is damaged: {', '.join(SPLITS)} are needed under images")
    return split
