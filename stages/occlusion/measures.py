"""What heatmaps say, in numbers."""

import warnings
from itertools import combinations, pairwise

import numpy as np
from scipy import special
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import ConstantInputWarning, spearmanr

from stages.common.heatmaps import centers, log_odds, pick, points_at_object
from stages.common.significance import DIGITS as DIGITS_OF_P
from stages.common.significance import mcnemar

DIGITS = 4  # of every metric that is written
VISIBLE = 0.01  # of a score: where a map changes by less, no colour is seen


def softmax(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the softmax scores of one class each: (..., classes) and (...) to float64 (...)."""
    return pick(special.softmax(logits.astype(np.float64), axis=-1), targets)


MEASURES = {"score": softmax, "log_odds": log_odds}


def target_maps(logits: np.ndarray, targets: np.ndarray, measure: str = "score") -> np.ndarray:
    """Measure one class of each image: (n, rows, columns, classes), (n,) to (n, rows, columns)."""
    return MEASURES[measure](logits, np.broadcast_to(targets[:, None, None], logits.shape[:-1]))


def fall(unoccluded: np.ndarray, grid: np.ndarray, target: int, measure: str) -> np.ndarray:
    """Return how far one class of an image falls: float64 (rows, columns).

    `unoccluded` are the logits without a patch, (classes,), `grid` those with it at each position,
    (rows, columns, classes).
    """
    measured = MEASURES[measure]
    return measured(unoccluded, np.array(target)) - measured(grid, np.full(grid.shape[:-1], target))


def largest_drop(maps: np.ndarray, unoccluded: np.ndarray) -> np.ndarray:
    """Return by how much the measure of each image falls at its worst position: float (n,).

    `maps` is float (n, rows, columns), `unoccluded` the measure without a patch, float (n,).
    """
    return unoccluded - maps.min(axis=(1, 2))


def blank(maps: np.ndarray, unoccluded: np.ndarray) -> np.ndarray:
    """Return whose score changes by less than a picture can show, wherever the patch: bool (n,)."""
    return np.abs(maps - unoccluded[:, None, None]).max(axis=(1, 2)) < VISIBLE


def flip_share(logits: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the share of positions at which the network predicts another class: float (n,).

    `logits` is float (n, rows, columns, classes), `predicted` the answer without a patch, (n,).
    """
    return (logits.argmax(axis=-1) != predicted[:, None, None]).mean(axis=(1, 2))


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
    return _rank_correlation(interpolate(points), second)


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    if first.size < 2:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        return float(spearmanr(first.ravel(), second.ravel()).statistic)


def fill_agreement(maps: dict[str, np.ndarray], strides: dict[str, int]) -> dict[str, float | None]:
    """Return Spearman's rank correlation of the heatmaps of each two fills, as means of images.

    Parameters
    ----------
    maps : dict of str to float (n, rows, columns)
        By fill, with patches of one size.
    strides : dict of str to int
        Pixels between positions, of which the largest is a multiple of the others. Compared are the
        positions that all have.

    Returns
    -------
    dict
        By names such as "mean_blur"; None where every map is constant.
    """
    largest = max(strides.values())
    steps = {fill: largest // stride for fill, stride in strides.items()}
    common = {fill: of[:, :: steps[fill], :: steps[fill]] for fill, of in maps.items()}
    return {
        f"{first}_{second}": mean(list(map(_rank_correlation, common[first], common[second])))
        for first, second in combinations(common, 2)
    }


def change(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Tell in how many images a number rises and falls, float (n,) each, with p of the sign test.

    It is exact and two-sided, and leaves out images without a change: McNemar's.
    """
    falls, rises, p = mcnemar(first > second, first < second)
    return {"rises": rises, "falls": falls, "p": round(p, DIGITS_OF_P)}


def summary(
    logits: dict[int, np.ndarray],
    unoccluded: np.ndarray,
    actual: np.ndarray,
    stride: int,
    masks: np.ndarray | None = None,
) -> dict[str, object]:
    """Measure what each patch size does to the images of one gallery.

    Parameters
    ----------
    logits : dict of int to float (n, rows, columns, classes)
        For each patch size, the answers at each position.
    unoccluded : float (n, classes)
        The logits without a patch.
    actual : integers (n,)
        True classes.
    masks : bool (n, height, width), optional

    Returns
    -------
    dict
        Means over the images, rounded; None where there is nothing to average. Drops are of the
        predicted class, rises of the true class, both of the score but where the log-odds are
        named; `blank_maps` counts images. `size_effect` tells how the largest drop of the score and
        the share of flips change from each size to the next larger one.
    """
    predicted = unoccluded.argmax(axis=1)
    score, odds = softmax(unoccluded, predicted), log_odds(unoccluded, predicted)
    # score and log-odds rank the positions alike, but near 1 scores are equal up to rounding
    odds_maps = {patch: target_maps(grid, predicted, "log_odds") for patch, grid in logits.items()}
    metrics: dict[str, object] = {"images": len(predicted)}
    drops, flips = {}, {}
    for patch, grid in logits.items():
        maps = target_maps(grid, predicted)
        is_blank, falls = blank(maps, score), largest_drop(odds_maps[patch], odds)
        drops[patch], flips[patch] = largest_drop(maps, score), flip_share(grid, predicted)
        # the largest rise of a score is the largest drop of its negative
        rise = largest_drop(-target_maps(grid, actual), -softmax(unoccluded, actual))
        row = {
            "largest_drop": mean(drops[patch]),
            "largest_drop_of_log_odds": mean(falls),
            "blank_maps": int(is_blank.sum()),
            "largest_drop_of_log_odds_of_blank_maps": mean(falls[is_blank]),
            "largest_rise_of_actual": mean(rise),
            "flip_share": mean(flips[patch]),
        }
        if masks is not None:
            hits, chance = points_at_object(odds_maps[patch], masks, patch, stride)
            row |= {"pointing_game": mean(hits), "pointing_game_by_chance": mean(chance)}
        metrics[f"patch_{patch}"] = row
    metrics["size_effect"] = {
        name: {f"{a}_{b}": change(of[a], of[b]) for a, b in pairwise(sorted(logits))}
        for name, of in (("largest_drop", drops), ("flip_share", flips))
    }
    metrics["rank_agreement"] = {
        f"{first}_{second}": mean(
            [
                rank_agreement(one, first, other, second, stride)
                for one, other in zip(odds_maps[first], odds_maps[second], strict=True)
            ]
        )
        for first, second in combinations(logits, 2)
    }
    return metrics


def trust(ordered: np.ndarray, by_chance: np.ndarray) -> dict[str, object]:
    """Compare the areas under the curves of n images, in a map's order and in random ones.

    Both are float (n,). The sign test tells in how many images the map's order has more or less.
    """
    return {
        "area": mean(ordered),
        "area_by_chance": mean(by_chance),
        "against_chance": change(by_chance, ordered),
    }


def mean(values) -> float | None:
    """Return the mean of what is no NaN, rounded; None where there is nothing."""
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return round(float(values.mean()), DIGITS) if len(values) else None
