"""Sheets of occlusion heatmaps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

from stages.common.figures import Sheet, short, unit_ticks
from stages.occlusion.measures import centers

# one scale for every sheet, so that any two maps compare; logarithmic beyond 0.01, because the most
# confident answers hardly move under a small patch and collapse under a large one
SCALE = SymLogNorm(linthresh=0.01, linscale=0.5, vmin=-1, vmax=1)
COLORS = plt.get_cmap("RdBu_r")
TICKS = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]
GALLERY_LINES = {"correct": "o-", "misclassified": "s--"}
GALLERY_COLORS = {"correct": "#444444", "misclassified": "#bbbbbb"}
# of a sheet, in pixels
SIDE, GAP, MARGIN, HEAD, BAR, BAR_HEIGHT, LINE = 96, 4, 24, 56, 84, 196, 28
LEAST = HEAD + BAR_HEIGHT + 12  # so that the colour bar has room beside a single image


def overlay(image: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Lay a heatmap over a grey version of its image, the denser the further the score moves.

    `heatmap` is how far the score falls, -1..1.

    Returns
    -------
    float (height, width, 3), 0..1
    """
    gray = (image @ np.array([0.299, 0.587, 0.114]) / 255)[..., None]
    place = np.asarray(SCALE(heatmap))[..., None]  # 0.5 where nothing moves
    density = 0.85 * np.abs(2 * place - 1)
    return (1 - density) * gray + density * COLORS(place[..., 0])[..., :3]


def spread(heatmap: np.ndarray, patch: int, stride: int, size: int) -> np.ndarray:
    """Bring a heatmap to the size of its image: each pixel takes the nearest patch centre's value.

    Returns
    -------
    float (size, size)
        NaN where no patch centre is within half a stride: the margin that the centres never reach.
    """
    pixels = np.arange(size)
    middles = centers(len(heatmap), patch, stride)
    distance = np.abs(pixels[:, None] - middles)
    nearest = distance.argmin(axis=1)
    outside = distance.min(axis=1) > max(stride / 2, 0.5)
    full = heatmap[np.ix_(nearest, nearest)].astype(np.float64)
    full[outside] = full[:, outside] = np.nan
    return full


@dataclass(frozen=True)
class Row:
    """One image of a sheet.

    Attributes
    ----------
    image : uint8 (height, width, 3)
    title : str
        Such as its true class.
    targets : list of str
        What to call the classes that are mapped.
    drops : list of float (rows, columns, targets), one a patch
        How far the score of each target falls.
    """

    image: np.ndarray
    title: str
    targets: list[str]
    drops: list[np.ndarray]


def sheet(
    rows: list[Row | str], patches: list[int], stride: int, title: str, maps: int = 1
) -> Figure:
    """Draw one sheet: at each image the map and the overlay of every patch size side by side.

    Parameters
    ----------
    rows : list of Row or str
        A class that has no image is named in a line of text.
    patches : list of int
        Sides in pixels.
    maps : int
        How many classes of an image there is room for, one below the other.
    """
    first = MARGIN + SIDE + MARGIN  # left edge of the maps
    pair = 2 * SIDE + GAP  # a map and its overlay
    lefts = [first + i * (pair + 3 * GAP) for i in range(len(patches))]
    height = maps * (SIDE + GAP) + 2 * GAP  # of an image's place
    heights = [LINE if isinstance(row, str) else height for row in rows]
    width = lefts[-1] + pair + BAR
    page = Sheet(width, max(HEAD + sum(heights), LEAST), title)
    for left, patch in zip(lefts, patches, strict=True):
        page.text(left + pair / 2, HEAD - 9, f"patch of {patch} × {patch} pixels", fontsize=9)
    titles = short((row if isinstance(row, str) else row.title for row in rows), 13)
    for number, row in enumerate(rows):
        top = HEAD + sum(heights[:number])
        if isinstance(row, str):
            middle = top + LINE / 2 - GAP
            page.text(MARGIN, middle, titles[row], ha="left", fontweight="bold")
            page.text(first, middle, "none", ha="left", color="gray")
            continue
        page.image(MARGIN, top, row.image)
        _aside(page, MARGIN, top, titles[row.title], fontweight="bold")
        for place, target in enumerate(row.targets):
            y = top + place * (SIDE + GAP)
            _aside(page, first, y, target)
            for left, patch, drops in zip(lefts, patches, row.drops, strict=True):
                full = spread(drops[..., place], patch, stride, SIDE)
                colors = COLORS(SCALE(np.nan_to_num(full)))[..., :3]
                page.image(left, y, np.where(np.isnan(full)[..., None], 1, colors))
                page.image(left + SIDE + GAP, y, overlay(row.image, np.nan_to_num(full)))
    _color_bar(page.add_axes(width - BAR + 14, HEAD, 14, BAR_HEIGHT))
    return page.figure()


def _aside(page: Sheet, left: int, top: int, text: str, **style) -> None:
    """Write upwards at the left of an image."""
    page.text(left - 10, top + SIDE / 2, text, rotation=90, **style)


def _color_bar(axes) -> None:
    bar = plt.colorbar(ScalarMappable(SCALE, COLORS), cax=axes, ticks=TICKS)
    bar.ax.set_yticklabels([f"{tick:g}" for tick in TICKS], fontsize=8)
    bar.set_label("fall of the score", fontsize=8)


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
