"""What heatmaps say, in numbers."""

import warnings
from itertools import combinations, pairwise

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import ConstantInputWarning, spearmanr

from stages.common.significance import DIGITS as DIGITS_OF_P
from stages.common.significance import mcnemar

DIGITS = 4  # of every metric that is written


def centers(count: int, patch: int, stride: int) -> np.ndarray:
    """Return the centres of a patch at its `count` positions along one side, in pixels."""
    return np.arange(count) * stride + (patch - 1) / 2


def target_maps(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Pick one class of each image: (n, rows, columns, classes) and (n,) to (n, rows, columns)."""
    return np.take_along_axis(scores, targets[:, None, None, None], axis=-1)[..., 0]


def largest_drop(maps: np.ndarray, unoccluded: np.ndarray) -> np.ndarray:
    """Return by how much the score of each image falls at its worst position: float (n,).

    `maps` is float (n, rows, columns), `unoccluded` the score without a patch, float (n,).
    """
    return unoccluded - maps.min(axis=(1, 2))


def flip_share(scores: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the share of positions at which the network predicts another class: float (n,).

    `scores` is float (n, rows, columns, classes), `predicted` the answer without a patch, (n,).
    """
    return (scores.argmax(axis=-1) != predicted[:, None, None]).mean(axis=(1, 2))


def points_at_object(
    maps: np.ndarray, masks: np.ndarray, patch: int, stride: int
) -> tuple[np.ndarray, np.ndarray]:
    """Play the pointing game: does the centre of the worst patch lie on the object?

    After Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop", section 4.2. Equal
    scores are settled by the first position. What chance would give depends on the patch: the
    larger it is, the further its centres keep from the margin, where objects are rare.

    Parameters
    ----------
    maps : float (n, rows, columns)
        The target's score at each position.
    masks : bool (n, height, width)
        Where the object is.

    Returns
    -------
    hits : bool (n,)
    chance : float (n,)
        Share of all positions whose centre lies on the object.
    """
    y, x = (centers(count, patch, stride).astype(int) for count in maps.shape[1:])
    on_object = masks[:, y[:, None], x].reshape(len(maps), len(y) * len(x))
    worst = maps.reshape(on_object.shape).argmin(axis=1)
    return on_object[np.arange(len(maps)), worst], on_object.mean(axis=1)


def rank_agreement(
    first: np.ndarray, first_patch: int, second: np.ndarray, second_patch: int, stride: int
) -> float:
    """Return Spearman's rank correlation of two heatmaps of one image with different patches.

    The map of the smaller patch, whose positions reach further out, is interpolated linearly at the
    centres of the larger patch.

    Returns
    -------
    float
        -1..1; NaN where a map is constant or has a single row or column.
    """
    if first_patch > second_patch:
        return rank_agreement(second, second_patch, first, first_patch, stride)
    if min(first.shape + second.shape) < 2:
        return float("nan")
    grid = tuple(centers(count, first_patch, stride) for count in first.shape)
    wanted = (centers(count, second_patch, stride) for count in second.shape)
    points = np.stack(np.meshgrid(*wanted, indexing="ij"), axis=-1)
    # at the far edge the larger patch may reach past the last position of the smaller one
    interpolate = RegularGridInterpolator(grid, first, bounds_error=False, fill_value=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        return float(spearmanr(interpolate(points).ravel(), second.ravel()).statistic)


def change(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Tell in how many images a number rises and falls, float (n,) each, with p of the sign test.

    It is exact and two-sided, and leaves out images without a change: McNemar's.
    """
    falls, rises, p = mcnemar(first > second, first < second)
    return {"rises": rises, "falls": falls, "p": round(p, DIGITS_OF_P)}


def summary(
    scores: dict[int, np.ndarray],
    unoccluded: np.ndarray,
    actual: np.ndarray,
    stride: int,
    masks: np.ndarray | None = None,
) -> dict[str, object]:
    """Measure what each patch size does to the images of one gallery.

    Parameters
    ----------
    scores : dict of int to float (n, rows, columns, classes)
        For each patch size, the softmax scores at each position.
    unoccluded : float (n, classes)
        The scores without a patch.
    actual : integers (n,)
        True classes.
    masks : bool (n, height, width), optional

    Returns
    -------
    dict
        Means over the images, rounded; None where there is nothing to average. Drops are of the
        predicted class, rises of the true class. `size_effect` tells how the first two numbers
        change from each size to the next larger one.
    """
    predicted = unoccluded.argmax(axis=1)
    image = np.arange(len(predicted))
    maps = {patch: target_maps(grid, predicted) for patch, grid in scores.items()}
    metrics: dict[str, object] = {"images": len(image)}
    drops, flips = {}, {}
    for patch, grid in scores.items():
        drops[patch] = largest_drop(maps[patch], unoccluded[image, predicted])
        flips[patch] = flip_share(grid, predicted)
        # the largest rise of a score is the largest drop of its negative
        rise = largest_drop(-target_maps(grid, actual), -unoccluded[image, actual])
        row = {
            "largest_drop": _mean(drops[patch]),
            "largest_rise_of_actual": _mean(rise),
            "flip_share": _mean(flips[patch]),
        }
        if masks is not None:
            hits, chance = points_at_object(maps[patch], masks, patch, stride)
            row |= {"pointing_game": _mean(hits), "pointing_game_by_chance": _mean(chance)}
        metrics[f"patch_{patch}"] = row
    metrics["size_effect"] = {
        name: {f"{a}_{b}": change(of[a], of[b]) for a, b in pairwise(sorted(scores))}
        for name, of in (("largest_drop", drops), ("flip_share", flips))
    }
    metrics["rank_agreement"] = {
        f"{first}_{second}": _mean(
            [rank_agreement(maps[first][i], first, maps[second][i], second, stride) for i in image]
        )
        for first, second in combinations(scores, 2)
    }
    return metrics


def _mean(values) -> float | None:
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return round(float(values.mean()), DIGITS) if len(values) else None
