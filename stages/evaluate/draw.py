"""The pictures of one network: curves, confusion matrices, galleries."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages.common.confusion import row_shares
from stages.common.figures import (
    BY_SCORE,
    CURVES,
    LINES,
    RIGHT,
    WRONG,
    Sheet,
    contact_sheet,
    matrix,
    say_what_is_shown,
    short,
    unit_ticks,
)
from stages.common.tables.rows import highest_scored


def curves(history: pd.DataFrame, best_epoch: int, title: str, color: str) -> Figure:
    """Draw loss and accuracy over the epochs, with the kept epoch marked."""
    figure, panels = plt.subplots(1, 2, figsize=(8.8, 3.4), layout="constrained")
    kept = history["epoch"] == best_epoch
    for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
        axes.axvline(best_epoch, color="#999999", linewidth=0.8)
        for split, line in LINES.items():
            if (column := f"{split}_{quantity}") in history:
                axes.plot(history["epoch"], history[column], line, color=color, label=CURVES[split])
                axes.plot(best_epoch, history.loc[kept, column], "o", color=color, markersize=5)
        axes.set(xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set(ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    panels[0].yaxis.grid(True)
    panels[1].set(ylabel="accuracy")
    unit_ticks(panels[1])
    panels[1].legend(loc="lower right")
    figure.suptitle(f"{title}: kept epoch {best_epoch} (dots)")
    return figure


def augmented(seen: np.ndarray, classes: list[str], title: str) -> Figure:
    """Draw what augmentation makes of an image from epoch to epoch, a row an image.

    `seen` is uint8 (n, 1 + epochs, 96, 96, 3): each image as it is, then as each epoch sees it.
    """
    epochs = [f"epoch {epoch}" for epoch in range(1, seen.shape[1])]
    groups = [(["image"], seen[:, :1]), (epochs, seen[:, 1:])]
    return contact_sheet(classes, groups, title)


def confusion(counts: np.ndarray, classes: list[str], title: str) -> Figure:
    """Draw a confusion matrix: counts, and shares of the true class as number and colour."""
    shares = row_shares(counts)
    texts = [
        [f"{count}\n{share:.0%}" if count else "" for count, share in zip(*row, strict=True)]
        for row in zip(counts, shares, strict=True)
    ]
    figure, bar = matrix(shares, texts, classes, "Blues", (0, 1), shares > 0.5)
    bar.set_label("share of the true class")
    bar.set_ticks(np.linspace(0, 1, 6), labels=[f"{share} %" for share in range(0, 101, 20)])
    right = counts.trace()
    figure.suptitle(f"{title}: {right} of {counts.sum()} right, {right / counts.sum():.1%}")
    return figure


def gallery(
    images: np.ndarray, table: pd.DataFrame, classes: list[str], per_class: int, title: str
) -> Figure:
    """Draw a gallery, a row a class, with class, prediction and score at each image.

    Parameters
    ----------
    images : uint8 (n, 96, 96, 3)
        The whole data set.
    table : DataFrame
        Rows of one gallery, as `galleries.table` makes them.
    per_class : int
        Number of columns; a class with fewer images leaves the rest of its row empty, one with none
        takes a line of text. Of many classes those of the highest scores are shown.
    """
    shown = highest_scored(table, classes)
    table = table[table["class"].isin(shown)]
    size, gap, text, head = images.shape[1], 32, 38, 30
    labels, wide, narrow = (short(classes, length) for length in (16, 17, 9))
    margin = 20 + 9 * max(len(labels[name]) for name in shown)
    present = set(table["class"])
    tops, bottom = {}, head
    for name in shown:
        tops[name] = bottom + text
        bottom = tops[name] + (size if name in present else 0)
    sheet = Sheet(margin + per_class * (size + gap), bottom + 12, title)
    for name, top in tops.items():
        middle = top + (size / 2 if name in present else -text / 4)
        style = {"ha": "right", "fontsize": 11, "fontweight": "bold"}
        sheet.text(margin + gap / 2 - 12, middle, labels[name], **style)
        if name not in present:
            sheet.text(margin + (size + gap) / 2, middle, "none", color="gray", fontsize=10)
    for row in table.itertuples():
        left, top = margin + gap // 2 + (row.rank - 1) * (size + gap), tops[row[2]]
        sheet.image(left, top, images[row.index])
        right = row.actual == row.predicted
        names = wide[row.actual]
        if not right:
            names = f"{narrow[row.actual]} as {narrow[row.predicted]}"
        color = RIGHT if right else WRONG
        style = {"color": color, "fontsize": 9}
        sheet.text(left + size / 2, top - 16, f"{names}\n{row.score:.3f}", **style)
    figure = sheet.figure()
    say_what_is_shown(figure, len(shown), len(classes), BY_SCORE)
    return figure
