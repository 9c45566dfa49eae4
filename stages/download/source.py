"""What every source of images hands over, whatever it read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Source:
    """A data set that is read image by image, so that it need not fit into memory.

    Attributes
    ----------
    classes : list of str
        Class names; a label is an index into them.
    labels : uint8 (n,)
    images : iterator over n pairs (image uint8 (96, 96, 3) RGB, mask bool (96, 96) or None)
        In the order of `labels`.
    groups : list of (origin, count)
        The source's own split, as runs of consecutive images: origin is "train", "val" or "test";
        empty where the source has no split of its own.
    checksums : dict of str to str
        What was read, as "md5:..." or "sha256:..."; complete once `images` is exhausted.
    folds : integers (folds, m), optional
        The training images of each published fold, as indices into `labels`.
    """

    classes: list[str]
    labels: np.ndarray
    images: Iterator[tuple[np.ndarray, np.ndarray | None]]
    groups: list[tuple[str, int]] = field(default_factory=list)
    checksums: dict[str, str] = field(default_factory=dict)
    has_masks: bool = False
    folds: np.ndarray | None = None


def evenly_spaced(labels: np.ndarray, per_class: int | None) -> np.ndarray:
    """Pick at most `per_class` images of each class, evenly spaced, in the original order.

    Even spacing keeps the proportions of whatever the order holds: a source's own split, or the
    kinds of picture within a class. None picks all.

    Parameters
    ----------
    labels : integers (n,)

    Returns
    -------
    int64 (m,)
        Indices into `labels`, ascending.
    """
    labels = np.asarray(labels)
    if per_class is None:
        return np.arange(len(labels))
    picked = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(per_class, len(members))
        picked.append(members[np.arange(count) * len(members) // count])
    return np.sort(np.concatenate(picked))
