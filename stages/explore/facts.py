"""What the page says of all images of a split, whether it holds their pictures or not."""

from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import confusion_matrix

from stages.common.significance import DIGITS, holm, mcnemar

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
    logits: np.ndarray, predicted: np.ndarray, masks: np.ndarray, patch: int, stride: int
) -> dict[str, float]:
    """Play the pointing game: is what the network needs most a part of the object?

    After Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop", section 4.2.

    Parameters
    ----------
    logits : float (n, rows, columns, classes)
        With the patch at each of its positions.
    predicted : integers (n,)
        The answers to the whole images.
    masks : bool (n, height, width)
        Where the object is.

    Returns
    -------
    dict
        hits: images in which the centre of the patch that costs the answer most log-odds lies on
        the object; by_chance: how many that would be at random positions; images; patch.
    """
    image = np.arange(len(logits))
    target = logits[image, ..., predicted]
    others = np.array(logits, np.float64)
    others[image, ..., predicted] = -np.inf
    odds = target - logsumexp(others, axis=-1)
    y, x = (
        (np.arange(count) * stride + (patch - 1) / 2).astype(int) for count in logits.shape[1:3]
    )
    on_object = masks[:, y[:, None], x].reshape(len(logits), len(y) * len(x))
    hits = on_object[image, odds.reshape(on_object.shape).argmin(axis=1)]
    chance = round(float(on_object.mean(axis=1).sum()), 1)
    return {"hits": int(hits.sum()), "by_chance": chance, "images": len(image), "patch": patch}


def pairwise(correct: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Compare any two networks on the same images by McNemar's exact test.

    `correct` tells which images each network classifies correctly: bool (n,).

    Returns
    -------
    dict of "<first>_<second>" to dict
        both, only_first, only_second, neither: images; p, corrected by Holm for all pairs.
    """
    pairs = list(combinations(correct, 2))
    tested = [mcnemar(correct[first], correct[second]) for first, second in pairs]
    corrected = holm([p for *_, p in tested])
    return {
        f"{first}_{second}": {
            "both": int((correct[first] & correct[second]).sum()),
            "only_first": only_first,
            "only_second": only_second,
            "neither": int((~correct[first] & ~correct[second]).sum()),
            "p": round(p, DIGITS),
        }
        for (first, second), (only_first, only_second, _), p in zip(
            pairs, tested, corrected, strict=True
        )
    }
