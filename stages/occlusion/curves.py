"""Insertion and deletion: how far can the ranking of a heatmap be trusted?

If a map is right, hiding the parts of the image in its order takes the score away early, and
showing them in its order, where all was hidden, brings it early. What any order would do is told by
one drawn at random. After Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for
Explanation of Black-box Models", section 4.2.
"""

import numpy as np
from torch import nn

from stages.common.inference import Model, logits
from stages.occlusion.measures import softmax

STEPS = 18  # at most: small parts are hidden several at a time
SEED = 0


def ranking(falls: np.ndarray, patch: int, stride: int, size: int) -> np.ndarray:
    """Rank the parts of an image, cut into squares like tiles, by a map: the largest fall first.

    Parameters
    ----------
    falls : float (rows, columns)
        How far the log-odds fall with the patch's corner at (row * stride, column * stride). A part
        takes the value of the nearest position; equal ones keep their order.
    patch : int
        Side of the patch and of a part, in pixels.
    size : int
        Side of the image.

    Returns
    -------
    int64 (parts,)
        Number of the part, row by row from the top left.
    """
    corners = np.arange(0, size, patch)
    nearest = np.minimum(np.rint(corners / stride).astype(int), len(falls) - 1)
    return np.argsort(-falls[np.ix_(nearest, nearest)].ravel(), kind="stable")


def hidden_shares(parts: int) -> np.ndarray:
    """Return which shares of the parts are hidden one after the other: float (steps + 1,)."""
    return _counts(parts) / parts


def _counts(parts: int) -> np.ndarray:
    return np.rint(np.linspace(0, parts, min(parts, STEPS) + 1)).astype(int)


def replaced(before: np.ndarray, after: np.ndarray, order: np.ndarray, patch: int) -> np.ndarray:
    """Replace the parts of one image by those of another one, in an order.

    `before` and `after` are uint8 (size, size, 3).

    Returns
    -------
    uint8 (steps + 1, size, size, 3)
        From the one to the other image.
    """
    side = -(-len(before) // patch)
    rank = np.empty(side * side, int)
    rank[order] = np.arange(side * side)
    part = np.arange(len(before)) // patch
    place = rank[part[:, None] * side + part][..., None]  # when each pixel is replaced
    return np.stack([np.where(place < count, after, before) for count in _counts(side * side)])


def random_order(parts: int, index: int) -> np.ndarray:
    """Draw the order in which an image's parts are hidden, keyed by its index: int64 (parts,)."""
    return np.random.default_rng((SEED, index)).permutation(parts)


def measure(
    model: Model | nn.Module,
    image: np.ndarray,
    filled: np.ndarray,
    order: np.ndarray,
    other: np.ndarray,
    patch: int,
    target: int,
) -> np.ndarray:
    """Watch the score of a class while parts of an image are hidden, and shown.

    Parameters
    ----------
    image, filled : uint8 (size, size, 3)
        The image, and what stands where a part is hidden.
    order : int64 (parts,)
        The most important part first.
    other : int64 (parts,)
        An order drawn at random. What is hidden in it is shown in its reverse, which is as random.

    Returns
    -------
    float64 (3, steps + 1)
        Softmax scores by `hidden_shares`: with the most important parts hidden first, with parts
        hidden at random, and, read by the share that is shown, with the most
        important parts shown first.
    """
    states = [replaced(image, filled, each, patch) for each in (order, other)]
    states.append(replaced(filled, image, order, patch))
    answers = logits(model, np.concatenate(states)).numpy()
    return softmax(answers, np.full(len(answers), target)).reshape(len(states), -1)


def area(curves: np.ndarray, parts: int) -> np.ndarray:
    """Return the area under curves by the share of the parts: (..., steps + 1) to float (...)."""
    return np.trapezoid(curves, hidden_shares(parts), axis=-1)
