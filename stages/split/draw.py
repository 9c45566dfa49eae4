"""A contact sheet of the data set."""

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from stages.common.figures import WORDS, Sheet, short

PER_SPLIT = 4  # images of a class
SIDE, GAP, HEAD = 64, 4, 54  # pixels


def contact_sheet(
    images: np.ndarray, labels: np.ndarray, split: np.ndarray, classes: list[str], title: str
) -> Figure:
    """Draw the first images of each class in each part, so that one sees what there is to learn.

    Parameters
    ----------
    images : uint8 (n, 96, 96, 3)
    labels : integers (n,)
    split : str (n,)
        "train", "val" or "test".
    classes : list of str
    title : str
    """
    margin = 20 + 8 * max(len(short(name)) for name in classes)
    group = PER_SPLIT * (SIDE + GAP) + 4 * GAP
    sheet = Sheet(margin + len(WORDS) * group, HEAD + len(classes) * (SIDE + GAP) + GAP, title)
    for place, (part, word) in enumerate(WORDS.items()):
        left = margin + place * group
        count = f"{word}: {np.count_nonzero(split == part):,} images"
        sheet.text(left + (group - 5 * GAP) / 2, HEAD - 10, count, fontsize=9)
        for label in range(len(classes)):
            members = np.flatnonzero((labels == label) & (split == part))[:PER_SPLIT]
            for column, index in enumerate(members):
                small = Image.fromarray(images[index]).resize((SIDE, SIDE), Image.Resampling.BOX)
                x, y = left + column * (SIDE + GAP), HEAD + label * (SIDE + GAP)
                sheet.image(x, y, np.asarray(small))
    for label, name in enumerate(classes):
        y = HEAD + label * (SIDE + GAP) + SIDE / 2
        sheet.text(margin - 8, y, short(name), ha="right", fontsize=9, fontweight="bold")
    return sheet.figure()
