"""What the page says of all images of a split, whether it holds their pictures or not."""

from itertools import combinations
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from stages.common.heatmaps import log_odds, points_at_object
from stages.common.significance import pairwise

# of a confidence, in thousandths: finer at the top, where most answers of a network are
THRESHOLDS = [*range(0, 990, 10), *range(990, 1001)]


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> list[list[int]]:
    """List the cells of a confusion matrix that are not empty: actual, predicted, images."""
    counts = confusion_matrix(labels, predicted, labels=np.arange(classes))
    return [[int(i), int(j), int(counts[i, j])] for i, j in np.argwhere(counts)]


def coverage(confidence: np.ndarray, correct: np.ndarray) -> list[list[int]]:
    """Count the images that are answered at each threshold on confidence, and those of them right.

    `confidence` is float64 (n,), `correct` bool (n,).
    """
    answered = [confidence >= threshold / 1000 for threshold in THRESHOLDS]
    return [[int(of.sum()), int((of & correct).sum())] for of in answered]


def pointing(
    logits: np.ndarray,
    predicted: np.ndarray,
    actual: np.ndarray,
    masks: np.ndarray,
    patch: int,
    stride: int,
) -> dict[str, dict[str, float]]:
    """Play the pointing game: is what the network needs most a part of the object?

    See `points_at_object`.

    Parameters
    ----------
    logits : float (n, rows, columns, classes)
        With the patch at each of its positions.
    predicted, actual : integers (n,)
        The answers to the whole images, and the true classes.
    masks : bool (n, height, width)
        Where the object is.

    Returns
    -------
    dict
        Of the images that are answered "right" and "wrong", where there are any: images; hits:
        those in which the centre of the patch that costs the answer most log-odds lies on the
        object; by_chance: how many that would be at random positions.
    """
    targets = np.broadcast_to(predicted[:, None, None], logits.shape[:-1])
    hits, chance = points_at_object(log_odds(logits, targets), masks, patch, stride)
    right = predicted == actual
    return {
        name: {
            "images": int(of.sum()),
            "hits": int(hits[of].sum()),
            "by_chance": round(float(chance[of].sum()), 1),
        }
        for name, of in (("right", right), ("wrong", ~right))
        if of.any()
    }


def fourfold(correct: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Compare any two networks on the same images: see `pairwise`; and count both and neither.

    `correct` tells which images each network classifies correctly: bool (n,).
    """
    found: dict[str, dict[str, Any]] = pairwise(correct)
    for first, second in combinations(correct, 2):
        one, other = correct[first], correct[second]
        both = {"both": int((one & other).sum()), "neither": int((~one & ~other).sum())}
        found[f"{first}_{second}"] |= both
    return found
