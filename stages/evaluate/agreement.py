"""Do two confusion matrices of a network follow one pattern, whatever their level of accuracy?

They are integers (c, c); rows are actual, columns predicted classes.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import rankdata

from stages.common.confusion import row_shares
from stages.common.tables.evaluation import AGREEMENT

PERMUTATIONS = 1999
DISTANCES = {name: kind for name, kind in AGREEMENT.items() if name not in ("first", "second")}
DIGITS = 3  # of a p: what is decided by it is then what it is written as


def has_shape(counts: np.ndarray) -> bool:
    """Whether a confusion matrix has errors enough, at least one a class, and not all alike."""
    errors = counts.sum() - counts.trace()
    rates = row_shares(counts)[~np.eye(len(counts), dtype=bool)]
    return bool(errors >= len(counts) > 1 and np.ptp(rates) > 0)


def rank_correlation(
    first: np.ndarray, second: np.ndarray, seed: int = 0, permutations: int = PERMUTATIONS
) -> tuple[float, float] | None:
    """Compare the shape of the errors of two confusion matrices: are the same pairs mixed?

    Spearman's rank correlation of the rates off the diagonal, with the one-sided permutation test
    of Mantel 1967: the classes of one matrix are renamed at random, rows and columns alike.

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
        rates = row_shares(counts)[off]
        matrix = np.zeros(first.shape)
        matrix[off] = rankdata(rates) - (len(rates) + 1) / 2
        ranks.append(matrix / np.linalg.norm(matrix))
    one, other = ranks
    correlation = float((one * other).sum())
    generator = np.random.default_rng(seed)
    orders = (generator.permutation(len(one)) for _ in range(permutations))
    # sums in another order may differ in the last bits
    as_high = [(one * other[np.ix_(o, o)]).sum() >= correlation - 1e-9 for o in orders]
    return correlation, round((1 + as_high.count(True)) / (1 + permutations), DIGITS)


def error_distances(
    first: np.ndarray,
    second: np.ndarray,
    classes: list[str],
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> tuple[pd.DataFrame, float | None]:
    """Measure, class by class, how differently the errors of two confusion matrices are spread.

    The Jensen-Shannon distance (Endres and Schindelin 2003; base 2) of what the misclassified
    images of a class are taken for: 0 is alike, 1 has nothing in common. Few errors differ by
    chance alone, so beside it stands the mean distance when the errors of a class are dealt at
    random to the two matrices, each keeping its number.

    Returns
    -------
    table : DataFrame
        A row a class that has errors in both: class, first_errors, second_errors, distance and
        distance_by_chance.
    p : float or None
        How often the mean distance of a deal is at least as large; None where the table is empty.
    """
    generator = np.random.default_rng(seed)
    rows, dealt = [], []
    for place, name in enumerate(classes):
        one, other = (np.delete(counts[place], place) for counts in (first, second))
        if not (one.any() and other.any()):
            continue
        both = one + other
        deals = generator.multivariate_hypergeometric(both, one.sum(), permutations)
        deals, both = deals[:, both > 0], both[both > 0]  # of many classes most are never named
        dealt.append(_distance(deals, both - deals))
        rows.append((name, one.sum(), other.sum(), _distance(one, other), dealt[-1].mean()))
    # an empty one, too, has these types
    table = pd.DataFrame(rows, columns=list(DISTANCES)).astype(DISTANCES)
    if table.empty:
        return table, None
    as_large = np.mean(dealt, axis=0) >= table["distance"].mean() - 1e-9
    return table, round((1 + int(as_large.sum())) / (1 + permutations), DIGITS)


def _distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    # of two that are alike, rounding may take the root of a little less than nothing
    return np.nan_to_num(jensenshannon(first, second, base=2, axis=-1))


def compare(
    counts: dict[str, np.ndarray], classes: list[str]
) -> tuple[dict[str, dict[str, float | None]], pd.DataFrame]:
    """Compare the confusion matrices of any two splits.

    Returns
    -------
    summary : dict of "<split>_<split>" to dict
        rank_correlation and its rank_p; error_distance (mean over the classes), what it is
        by chance, error_distance_by_chance, and its error_distance_p. None where there are too few
        errors.
    table : DataFrame
        first, second (splits), and the columns of `error_distances`.
    """
    summary, tables = {}, {}
    for first, second in combinations(counts, 2):
        correlation, rank_p = rank_correlation(counts[first], counts[second]) or (None, None)
        table, p = error_distances(counts[first], counts[second], classes)
        tables[first, second] = table
        mean, by_chance = table[["distance", "distance_by_chance"]].mean()
        summary[f"{first}_{second}"] = {
            "rank_correlation": None if correlation is None else round(correlation, DIGITS),
            "rank_p": rank_p,
            "error_distance": None if p is None else round(mean, DIGITS),
            "error_distance_by_chance": None if p is None else round(by_chance, DIGITS),
            "error_distance_p": p,
        }
    joined = pd.concat(tables, names=["first", "second"])
    return summary, joined.reset_index(["first", "second"])
