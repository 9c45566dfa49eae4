"""A contact sheet of the data set."""

import numpy as np
from matplotlib.figure import Figure

from stages.common import figures
from stages.common.study import SPLIT_TITLES
from stages.common.tables.rows import spaced_rows

PER_SPLIT = 4  # images of a class


def contact_sheet(
    images: np.ndarray, labels: np.ndarray, split: np.ndarray, classes: list[str], title: str
) -> Figure:
    """Draw the first images of each class in each part, so that one sees what there is to learn.

    Of many classes there are as many as a picture has rows for, evenly spaced.
    """
    shown = spaced_rows(len(classes))
    groups = []
    for part, word in SPLIT_TITLES.items():
        rows = [
            images[np.flatnonzero((labels == label) & (split == part))[:PER_SPLIT]]
            for label in shown
        ]
        groups.append(([f"{word}: {np.count_nonzero(split == part):,} images"], rows))
    sheet = figures.contact_sheet([classes[label] for label in shown], groups, title)
    figures.say_what_is_shown(sheet, len(shown), len(classes), "evenly spaced in their order")
    return sheet
