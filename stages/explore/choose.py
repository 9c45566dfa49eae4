"""Which images the page holds where it has not room for all of them."""

import numpy as np

MOST_IMAGES = 5000
MOST_OF_IMAGES = 28_000_000  # bytes in the page, of pictures and scores
MOST_OF_MAPS = 8_000_000  # bytes, before they are compressed
MOST_MAPPED = 12  # of a map

GOLDEN = (5**0.5 - 1) / 2


def scattered(count: int) -> np.ndarray:
    """Order `count` things so that the first few, however many, are evenly spaced: int64 (count,).

    By the fractional parts of the multiples of the golden ratio.
    """
    return np.argsort(np.arange(count) * GOLDEN % 1, kind="stable")


def order(mapped: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Order images by how much they are worth a place: those with maps, then errors, then others.

    Parameters
    ----------
    mapped : bool (n,)
    wrong : bool (n,)
        Whether any network misclassifies it.

    Returns
    -------
    int64 (n,)
    """
    groups = [mapped, wrong & ~mapped, ~wrong & ~mapped]
    return np.concatenate([np.flatnonzero(of)[scattered(of.sum())] for of in groups])


def fitting(sizes: list[int], room: int) -> int:
    """Count how many of the first things fit, by their sizes in bytes."""
    return int(np.searchsorted(np.cumsum(sizes), room, side="right"))


def highest(logits: np.ndarray, needed: list[int]) -> np.ndarray:
    """Pick the classes of an image that its maps show: int64 (at most MOST_MAPPED,), ascending.

    Those that are needed, and those that come highest anywhere; all where there are few.

    `logits` are float (positions, classes).
    """
    best = (logits - logits.max(axis=1, keepdims=True)).max(axis=0)
    best[needed] = np.inf
    return np.sort(np.argsort(-best, kind="stable")[:MOST_MAPPED])
