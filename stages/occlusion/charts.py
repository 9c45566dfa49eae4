"""What heatmaps say, in lines and bars."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from stages.common.figures import unit_ticks

GALLERY_LINES = {"correct": "o-", "misclassified": "s--"}
GALLERY_COLORS = {"correct": "#444444", "misclassified": "#bbbbbb"}
RANDOM = "#d55e00"


def sizes(table: pd.DataFrame, agreement: dict[str, dict[str, float | None]], title: str) -> Figure:
    """Draw what the size of the patch does: how far scores fall, answers change, maps agree.

    `table` has patch, and largest_drop and flip_share of each gallery; `agreement` has, for each
    gallery, the rank correlation of the maps of two sizes, by names such as "8_16".
    """
    names = {"largest_drop": "mean largest fall of the score", "flip_share": "answer changes"}
    figure, panels = plt.subplots(1, 3, figsize=(8.8, 3.2), layout="constrained")
    table = table.sort_values("patch")
    for axes, (column, name) in zip(panels, names.items(), strict=False):
        for gallery, line in GALLERY_LINES.items():
            values = table[f"{column}_{gallery}"].astype(float)
            axes.plot(table["patch"], values, line, color="black", label=gallery)
        axes.set(title=name, xlabel="side of the patch (pixels)", xticks=table["patch"])
        unit_ticks(axes)
    panels[0].legend(loc="best")
    panels[1].set_ylabel("share of the positions")
    pairs = list(agreement["correct"])
    for offset, (gallery, color) in zip((-0.2, 0.2), GALLERY_COLORS.items(), strict=True):
        values = [
            np.nan if agreement[gallery][pair] is None else agreement[gallery][pair]
            for pair in pairs
        ]
        panels[2].bar(np.arange(len(pairs)) + offset, values, 0.38, color=color, label=gallery)
    words = [pair.replace("_", " and ") for pair in pairs]
    panels[2].set(title="agreement of two sizes", ylabel="rank correlation of the maps")
    panels[2].set_xticks(range(len(pairs)), words, rotation=90 if len(pairs) > 3 else 0)
    panels[2].set_ylim(min(0, panels[2].get_ylim()[0]), 1)
    panels[2].yaxis.grid(True)
    panels[2].legend(loc="best")
    figure.suptitle(title)
    return figure


def trust(curves: dict[str, np.ndarray], shares: np.ndarray, title: str) -> Figure:
    """Draw how the score goes while parts of the images are hidden, and shown.

    `curves`, float (3, steps + 1) for each gallery, are the means of those that `curves.measure`
    gives, over `shares` of the image.
    """
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained", sharey=True)
    for gallery, (deletion, random, insertion) in curves.items():
        line = GALLERY_LINES[gallery][1:]
        # what is hidden at random is shown in the reverse order
        for axes, ordered, shown in (
            (panels[0], deletion, shares),
            (panels[1], insertion, 1 - shares),
        ):
            axes.plot(shares, ordered, line, color="black", label=f"{gallery}, by the map")
            axes.plot(shown, random, line, color=RANDOM, label=f"{gallery}, at random")
    names = (("deletion", "hidden"), ("insertion", "shown"))
    for axes, (name, what) in zip(panels, names, strict=True):
        axes.set(title=name, xlabel=f"share of the image that is {what}")
        unit_ticks(axes, "x")
        unit_ticks(axes)
    panels[0].set_ylabel("mean score of the class")
    if curves:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(title)
    return figure
