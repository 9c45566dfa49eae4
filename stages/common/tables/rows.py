"""Which classes have a row of their own, where a picture or a table has no room for all."""

from collections.abc import Sequence

import pandas as pd

MOST_ROWS = 20  # classes, in a picture and in a table of the report
FEW_ROWS = 10  # of more classes: what a page of the report holds, so that it can be read


def spaced_rows(count: int) -> list[int]:
    """Return the places, from 0 to `count - 1`, of the classes that have a row."""
    if count <= MOST_ROWS:
        return list(range(count))
    return [row * (count - 1) // (FEW_ROWS - 1) for row in range(FEW_ROWS)]


def highest_scored(table: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """Return the classes whose images in a gallery have the highest scores.

    `table` has the rows of one gallery, in the columns of `evaluation.GALLERIES`.
    """
    return _first(-table.groupby("class")["score"].max(), classes)


def least_recognised(table: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """Return the classes with the lowest recall, on average over the networks.

    `table` has the rows of one split and any number of networks, in the columns of
    `evaluation.CLASSES`.
    """
    return _first(table.groupby("class")["recall"].mean(), classes)


def _first(values: pd.Series, classes: Sequence[str]) -> list[str]:
    """Return the classes of the lowest values, in the order of `classes`; those without one last.

    Of equal ones the first are taken.
    """
    order = values.reindex(classes).sort_values(kind="stable", na_position="last").index
    kept = set(order if len(order) <= MOST_ROWS else order[:FEW_ROWS])
    return [name for name in classes if name in kept]
