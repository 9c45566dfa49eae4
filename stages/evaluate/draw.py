"""The pictures of one network: curves, confusion matrices, galleries."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

from stages.common.figures import RIGHT, WRONG, image_grid

SPLIT_COLORS = {"train": "#999999", "val": "#0072b2", "test": "#d55e00"}


def curves(history: pd.DataFrame, best_epoch: int, title: str) -> Figure:
    """Draw loss and accuracy over the epochs, with the kept epoch marked.

    Parameters
    ----------
    history : DataFrame
        Columns epoch, train_loss, val_loss, train_accuracy, val_accuracy, test_accuracy.
    best_epoch : int
    title : str
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
        for split, color in SPLIT_COLORS.items():
            if (column := f"{split}_{quantity}") in history:
                axes.plot(history["epoch"], history[column], color=color, label=split)
        axes.axvline(best_epoch, color="black", linewidth=0.8, linestyle=":", label="kept epoch")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set(ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    panels[1].set(ylim=(0, 1))
    panels[1].legend(frameon=False, loc="lower right")
    figure.suptitle(title)
    return figure


def confusion(actual: np.ndarray, predicted: np.ndarray, classes: list[str], title: str) -> Figure:
    """Draw a confusion matrix with counts, coloured by the share of the true class.

    Parameters
    ----------
    actual, predicted : integers (n,)
    classes : list of str
    title : str
    """
    labels = np.arange(len(classes))
    counts = confusion_matrix(actual, predicted, labels=labels)
    shares = confusion_matrix(actual, predicted, labels=labels, normalize="true")
    figure, axes = plt.subplots(figsize=(6.2, 5.6), layout="constrained")
    display = ConfusionMatrixDisplay(shares, display_labels=classes)
    display.plot(ax=axes, cmap="Blues", xticks_rotation=45, im_kw={"vmin": 0, "vmax": 1})
    # colour says the share, the text the number of images
    for text, count in zip(display.text_.flat, counts.flat, strict=True):
        text.set_text(f"{count:d}" if count else "")
    plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    display.im_.colorbar.set_label("share of the true class")
    axes.set(xlabel="predicted", ylabel="actual")
    axes.spines[:].set_visible(True)
    figure.suptitle(title)
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
    classes : list of str
    per_class : int
        Number of columns; a class with fewer images leaves the rest of its row empty.
    title : str
    """
    left = 0.3 + 0.1 * max(map(len, classes))
    figure, grid = image_grid(
        len(classes), per_class, title, side=1.2, left=left, right=0.2, lines=2
    )
    for axes, name in zip(grid[:, 0], classes, strict=True):
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10, fontweight="bold")
        if not (table["class"] == name).any():
            axes.text(0.5, 0.5, "none", ha="center", va="center", color="gray")
    for row in table.itertuples():
        axes = grid[classes.index(row[2]), row.rank - 1]
        axes.imshow(images[row.index])
        right = row.actual == row.predicted
        names = row.predicted if right else f"{row.actual} as {row.predicted}"
        axes.set_title(f"{names}\n{row.score:.3f}", fontsize=8, color=RIGHT if right else WRONG)
    return figure
