"""Pictures of several networks at once, each in its own colour."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stages.common.confusion import row_shares
from stages.common.figures import CURVES, LINES, matrix, short, unit_ticks
from stages.common.study import NETWORKS, SPLIT_TITLES
from stages.common.tables.rows import least_recognised


def curves(table: pd.DataFrame, best_epoch: pd.Series) -> Figure:
    """Draw loss and accuracy of all networks over the epochs, the kept epoch of each as a dot."""
    figure, panels = plt.subplots(1, 2, figsize=(8.8, 4.4), layout="constrained")
    for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
        for name, own in table.groupby("network", sort=False):
            for split in ("train", "val"):
                values = own[f"{split}_{quantity}"]
                axes.plot(own["epoch"], values, LINES[split], color=NETWORKS[name].color)
                kept = own["epoch"] == best_epoch[name]
                axes.plot(
                    own["epoch"][kept], values[kept], "o", color=NETWORKS[name].color, markersize=5
                )
        axes.set(xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set(ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    panels[0].yaxis.grid(True)
    panels[1].set(ylabel="accuracy")
    unit_ticks(panels[1])
    handles = _handles(table["network"].unique())
    handles += [
        Line2D([], [], color="black", linestyle=LINES[split], label=CURVES[split])
        for split in ("train", "val")
    ]
    handles.append(Line2D([], [], color="black", marker="o", linestyle="", label="kept epoch"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.suptitle("Training of the networks")
    return figure


def _handles(networks) -> list[Line2D]:
    return [
        Line2D([], [], color=NETWORKS[name].color, label=NETWORKS[name].title, linewidth=3)
        for name in networks
    ]


def classes(table: pd.DataFrame, split: str) -> Figure:
    """Draw recall, precision and F1 of each class as bars; of many, of those with least recall."""
    table = table[table["split"] == split]
    classes, networks = list(table["class"].unique()), table["network"].unique()
    names = least_recognised(table, classes)
    width = max(8.8, 0.5 * len(names) + 1)
    figure, panels = plt.subplots(3, 1, figsize=(width, 6.6), layout="constrained", sharex=True)
    measures = {
        "recall": "recall: share of a class\nthat is recognised",
        "precision": "precision: share of the\nanswers that are right",
        "f1": "F1: both in one",
    }
    bar = 0.8 / len(networks)
    for axes, (column, label) in zip(panels, measures.items(), strict=True):
        for number, name in enumerate(networks):
            own = table[table["network"] == name].set_index("class")[column].reindex(names)
            places = np.arange(len(names)) + (number - (len(networks) - 1) / 2) * bar
            axes.bar(places, own, bar, color=NETWORKS[name].color)
        axes.set_ylabel(label, fontsize=8)
        unit_ticks(axes)
        axes.set_xlim(-0.5, len(names) - 0.5)
    labels = [short(classes)[name] for name in names]
    letters = len(labels) * max(map(len, labels))  # beside one another there is room for so many
    turn = 0 if len(labels) <= 12 and letters <= 120 else 90
    panels[-1].set_xticks(range(len(labels)), labels, rotation=turn)
    figure.legend(handles=_handles(networks), loc="outside lower center", ncols=4)
    which = "Each class by itself"
    if len(names) < len(classes):
        which = f"The {len(names)} of {len(classes)} classes that are recognised least"
    figure.suptitle(f"{which}, {SPLIT_TITLES[split]}")
    return figure


def reliability(table: pd.DataFrame, metrics: dict[str, dict[str, Any]], split: str) -> Figure:
    """Draw accuracy against confidence, and below it how many images have that confidence."""
    table = table[table["split"] == split]
    networks = table["network"].unique()
    figure, panels = plt.subplots(
        2,
        len(networks),
        figsize=(8.8, 3.9),
        layout="constrained",
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(3, 1),
    )
    for (above, below), name in zip(panels.T, networks, strict=True):
        own = table[table["network"] == name]
        width = own["high"] - own["low"]
        style = {"align": "edge", "color": NETWORKS[name].color, "edgecolor": "white"}
        above.bar(own["low"], own["accuracy"], width, **style)
        above.plot([0, 1], [0, 1], color="black", linewidth=0.8)
        error = metrics[name][split]["expected_calibration_error"]
        above.set_title(f"{NETWORKS[name].title}\ncalibration error {error:.1%}")
        unit_ticks(above)
        below.bar(own["low"], own["images"] / own["images"].sum(), width, **style)
        below.set(xlabel="confidence", xlim=(0, 1), ylim=(0, None))
        below.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        below.yaxis.set_major_locator(MaxNLocator(2))
        below.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    panels[0, 0].set_ylabel("accuracy")
    panels[1, 0].set_ylabel("images")
    figure.suptitle(
        f"Is a confidence of 80 % right in 80 %? On the line it is ({SPLIT_TITLES[split]})"
    )
    return figure


def cost(table: pd.DataFrame) -> Figure:
    """Draw test accuracy with its 95 % interval against parameters and work of the training.

    `table` is that of `tables.overview`.
    """
    figure, panels = plt.subplots(1, 2, figsize=(8.8, 3.8), layout="constrained", sharey=True)
    columns = {
        "parameters": ("parameters (thousands)", 1e3),
        "training_multiply_accumulates": ("training at 96 × 96 (10¹² multiply-accumulates)", 1e12),
    }
    for axes, (column, (label, unit)) in zip(panels, columns.items(), strict=True):
        for row in table.itertuples():
            accuracy = row.test_accuracy
            ends = [[max(accuracy - row.test_low, 0)], [max(row.test_high - accuracy, 0)]]
            style = {
                "fmt": "o",
                "markersize": 5,
                "capsize": 5,
                "color": NETWORKS[row.network].color,
            }
            axes.errorbar(getattr(row, column) / unit, accuracy, yerr=ends, **style)
        axes.set(xlabel=label, xlim=(0, 1.1 * table[column].max() / unit))
        unit_ticks(axes)
    panels[0].set_ylabel("accuracy on test, 95 % interval")
    figure.legend(handles=_handles(table["network"]), loc="outside lower center", ncols=4)
    figure.suptitle("What accuracy costs")
    return figure


def difference(before: np.ndarray, after: np.ndarray, classes: list[str], title: str) -> Figure:
    """Draw what changes from one confusion matrix to another, in percentage points.

    `before` and `after` are confusion matrices of the same images, integers (c, c).
    """
    change = 100 * (row_shares(after) - row_shares(before))
    # more on the diagonal is better, more elsewhere is worse: blue is better in both places
    better = np.where(np.eye(len(classes), dtype=bool), change, -change)
    texts = [[f"{value:+.0f}" if round(value) else "" for value in row] for row in change]
    figure, bar = matrix(better, texts, classes, "RdBu", (-50, 50), np.abs(change) > 35)
    bar.set_label("percentage points of the true class: blue better, red worse")
    figure.suptitle(title)
    return figure
