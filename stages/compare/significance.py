"""Is one network better than another on the same images, or could chance do it?"""

from itertools import combinations

import numpy as np

from stages.common.significance import DIGITS, holm, mcnemar


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
