"""Which image goes to train, which to validation, which to test."""

import hashlib

import numpy as np

from stages.common.base.errors import InputError
from stages.common.study import SPLITS


def duplicate_groups(images: np.ndarray) -> np.ndarray:
    """Number the images so that exact duplicates, and only they, share a number.

    Returns
    -------
    int64 (n,)
        Index of the first image with the same pixels.
    """
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)], np.int64)


def by_parts(labels: np.ndarray, groups: np.ndarray, parts: list[int], seed: int) -> np.ndarray:
    """Split each class in the proportion of `parts`, at random by seed.

    The groups of a class are shuffled and laid end to end, and the line is cut at the parts: a
    group belongs where its first image falls, so it stays whole, and a split misses its share by at
    most the duplicates at a cut. Duplicates that carry different labels follow the first of them.

    Parameters
    ----------
    labels : integers (n,)
    groups : integers (n,)
        Equal for images that must not be separated.
    parts : three integers
        Of train, validation and test.

    Returns
    -------
    array of str (n,)
        "train", "val" or "test".
    """
    generator = np.random.default_rng(seed)
    _, heads, group_of, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    split_of_group = np.empty(len(heads), np.int64)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels[heads] == label))
        ends = np.cumsum(sizes[members])
        total = ends[-1] if len(ends) else 0
        cuts = np.round(np.cumsum(parts) * total / sum(parts))
        split_of_group[members] = np.searchsorted(cuts[:2], ends - sizes[members], side="right")
    return np.array(SPLITS)[split_of_group[group_of]]


def with_validation(
    labels: np.ndarray, groups: np.ndarray, origin: np.ndarray, parts: list[int], seed: int
) -> np.ndarray:
    """Keep a source's own train and test, and take the validation images from its train.

    Parameters
    ----------
    labels, groups, parts, seed
        As for `by_parts`; validation gets its part of what train and validation share.
    origin : array of str (n,)
        Where the source has each image: "train" or "test".

    Returns
    -------
    array of str (n,)
        "train", "val" or "test".
    """
    split = np.array(origin, dtype="U5")
    train = split == "train"
    split[train] = by_parts(labels[train], groups[train], [parts[0], parts[1], 0], seed)
    return split


def with_fold(origin: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Keep a source's own test, train on a published fold, and validate on the rest of its train.

    So do Coates, Lee and Ng 2011 train on each of ten folds of STL-10, and state the mean of the
    ten accuracies on test; there the rest is not used.

    Parameters
    ----------
    origin : array of str (n,)
        Where the source has each image: "train" or "test".
    fold : integers (m,)
        Indices of images of its train.

    Returns
    -------
    array of str (n,)
        "train", "val" or "test".
    """
    split = np.where(origin == "train", "val", origin).astype("U5")
    split[fold] = "train"
    return split


def check(split: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    """Refuse a split in which a class has no image on one side.

    Raises
    ------
    InputError
        Names the class and the side.
    """
    for label, name in enumerate(classes):
        for side in SPLITS:
            if not np.any((labels == label) & (split == side)):
                count = np.count_nonzero(labels == label)
                raise InputError(
                    f"the class {name!r} has no image in {side}: its {count} images are too few "
                    f"for params.yaml: split.parts, or download.per_class is too low"
                )
