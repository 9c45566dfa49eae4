"""Do two confusion matrices, or two networks, agree beyond chance?"""

import numpy as np
from scipy.stats import binomtest, rankdata

PERMUTATIONS = 1999
DIGITS = 3  # of a p: what is decided by it is then what it is written as


def error_rates(counts: np.ndarray) -> np.ndarray:
    """Divide each row of a confusion matrix by its images: float (c, c), 0 where there are none."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def has_shape(counts: np.ndarray) -> bool:
    """Say if a confusion matrix has errors enough, at least one a class, and not all alike."""
    errors = counts.sum() - counts.trace()
    rates = error_rates(counts)[~np.eye(len(counts), dtype=bool)]
    return bool(errors >= len(counts) > 1 and np.ptp(rates) > 0)


def rank_agreement(
    first: np.ndarray, second: np.ndarray, seed: int = 0, permutations: int = PERMUTATIONS
) -> tuple[float, float] | None:
    """Compare the shape of the errors of two confusion matrices, whatever their level.

    Spearman's rank correlation of the rates off the diagonal, with the one-sided permutation test
    of Mantel 1967: the classes of one matrix are renamed at random, rows and columns alike.

    Parameters
    ----------
    first, second : integers (c, c)
        Rows are actual, columns predicted classes.
    seed : int
        Of the permutations.
    permutations : int

    Returns
    -------
    (correlation, p) or None
        None where one of them has no shape to compare, see `has_shape`.
    """
    if not (has_shape(first) and has_shape(second)):
        return None
    off = ~np.eye(len(first), dtype=bool)
    ranks = []
    for counts in (first, second):
        rates = error_rates(counts)[off]
        matrix = np.zeros(first.shape)
        matrix[off] = rankdata(rates) - (len(rates) + 1) / 2
        ranks.append(matrix / np.linalg.norm(matrix))
    one, other = ranks
    correlation = float((one * other).sum())
    generator = np.random.default_rng(seed)
    orders = (generator.permutation(len(one)) for _ in range(permutations))
    # sums in another order may differ in the last bits
    as_high = sum((one * other[np.ix_(o, o)]).sum() >= correlation - 1e-9 for o in orders)
    return correlation, round((1 + as_high) / (1 + permutations), DIGITS)


def mcnemar(first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Compare two networks on the same images (McNemar 1947, exact, two-sided).

    Parameters
    ----------
    first, second : bool (n,)
        Which images each classifies correctly.

    Returns
    -------
    only_first, only_second : int
        Images that one alone classifies correctly.
    p : float
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    p = binomtest(only_first, differing).pvalue if differing else 1.0
    return only_first, only_second, round(float(p), DIGITS)


def mixed_pairs(counts: np.ndarray) -> list[tuple[int, int, int]]:
    """List pairs of classes by how many images of either are taken for the other.

    Parameters
    ----------
    counts : integers (c, c)

    Returns
    -------
    list of (class, class, errors)
        Most errors first, equal ones in the order of the classes; pairs without error are left out.
    """
    both = counts + counts.T
    pairs = [(i, j, int(both[i, j])) for i, j in zip(*np.triu_indices(len(both), 1), strict=True)]
    pairs = [(int(i), int(j), errors) for i, j, errors in pairs if errors]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))
