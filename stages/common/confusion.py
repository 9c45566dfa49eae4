"""Confusion matrices: rows are actual, columns predicted classes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def count(pairs: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Count the answers to some images: int64 (c, c).

    Parameters
    ----------
    pairs : DataFrame
        actual, predicted; names of classes, a row an image.
    """
    table = pd.crosstab(pairs["actual"], pairs["predicted"])
    return table.reindex(index=classes, columns=classes, fill_value=0).to_numpy(np.int64)


def row_shares(counts: np.ndarray) -> np.ndarray:
    """Divide each row by its sum: float64 (c, c), 0 where that is 0."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
