"""Is one share larger than another one, or could chance do it?"""

from itertools import combinations

import numpy as np
from scipy.stats import binomtest, norm

DIGITS = 3  # of a p: what is decided by it is then what it is written as


def mcnemar(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Compare two networks on the same images (McNemar 1947, exact, two-sided).

    `first` and `second` tell which images each classifies correctly: bool (n,).

    Returns
    -------
    only_first, only_second : int
        Images that one alone classifies correctly.
    p : float
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    return only_first, only_second, binomtest(only_first, differing).pvalue if differing else 1.0


def two_samples(first: np.ndarray, second: np.ndarray) -> float:
    """Compare the means of what was measured on different images: the two-sided p.

    It is that of the permutation test, by its normal limit; of shares, where `first` and `second`
    tell which images are classified correctly, that of Pearson's chi-squared test.
    """
    deviation = np.concatenate([first, second]).std()
    error = deviation * np.sqrt(1 / len(first) + 1 / len(second))
    return float(2 * norm.sf(abs(first.mean() - second.mean()) / error)) if error else 1.0


def holm(ps: list[float]) -> list[float]:
    """Correct the p of several tests, so that one false alarm among all is as rare as of a single.

    Holm 1979: the smallest p counts as many times as there are tests, the next once less, and none
    becomes smaller than the one before it.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(ps, kind="stable")
    scaled = np.array(ps)[order] * np.arange(len(ps), 0, -1)
    corrected = np.empty(len(ps))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected.tolist()


def pairwise(correct: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Compare any two networks on the same images.

    `correct` tells which images each network classifies correctly: bool (n,).

    Returns
    -------
    dict of "<first>_<second>" to dict
        only_first, only_second, and the p of McNemar's exact test, alone and as `p_holm` corrected
        for all pairs.
    """
    tested = {pair: mcnemar(*(correct[name] for name in pair)) for pair in combinations(correct, 2)}
    corrected = holm([p for _, _, p in tested.values()])
    return {
        "_".join(pair): {
            "only_first": only_first,
            "only_second": only_second,
            "p": round(p, DIGITS),
            "p_holm": round(p_holm, DIGITS),
        }
        for (pair, (only_first, only_second, p)), p_holm in zip(
            tested.items(), corrected, strict=True
        )
    }
