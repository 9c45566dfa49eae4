"""Sheets of occlusion heatmaps, and what they say in curves and bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, SymLogNorm, to_rgb
from matplotlib.figure import Figure
from scipy import special

from stages.common.figures import Sheet, class_colors, short, unit_ticks
from stages.occlusion.measures import centers, target_maps

# one scale for every sheet, so that any two maps compare; logarithmic beyond 0.01, because the most
# confident answers hardly move under a small patch and collapse under a large one
SCALE = SymLogNorm(linthresh=0.01, linscale=0.5, vmin=-1, vmax=1)
COLORS = plt.get_cmap("RdBu_r")
TICKS = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]
GALLERY_LINES = {"correct": "o-", "misclassified": "s--"}
GALLERY_COLORS = {"correct": "#444444", "misclassified": "#bbbbbb"}
TINT = 0.7  # share of a class's colour where it is the most probable one; the rest is the image
# of a sheet, in pixels
SIDE, GAP, MARGIN, HEAD, BAR, BAR_HEIGHT, LINE = 96, 4, 24, 72, 104, 196, 28
LEGEND_LINE = 16
LEGEND_TOP = HEAD + BAR_HEIGHT + 36  # of the classes' colours, below the colour bar


def gray(image: np.ndarray) -> np.ndarray:
    """Return an image without its colours: uint8 (height, width, 3) to float (height, width, 1)."""
    return (image @ np.array([0.299, 0.587, 0.114]) / 255)[..., None]


def overlay(image: np.ndarray, heatmap: np.ndarray, scale: Normalize = SCALE) -> np.ndarray:
    """Lay a heatmap over a grey version of its image, the denser the further the score moves.

    `heatmap` is how far the score falls, NaN where nothing is known; `scale` brings it to 0..1,
    with 0.5 where nothing moves.

    Returns
    -------
    float (height, width, 3), 0..1
    """
    place = np.asarray(scale(np.nan_to_num(heatmap)))[..., None]
    density = 0.85 * np.abs(2 * place - 1)
    return (1 - density) * gray(image) + density * COLORS(place[..., 0])[..., :3]


def tinted(image: np.ndarray, classes: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Paint a grey version of an image in the colours of the classes that it is taken for.

    `classes`, float (height, width), numbers the rows of `colors`, float (classes, 3); NaN is left
    grey.

    Returns
    -------
    float (height, width, 3), 0..1
    """
    tint = colors[np.nan_to_num(classes).astype(int)]
    painted = (1 - TINT) * gray(image) + TINT * tint
    return np.where(np.isnan(classes)[..., None], gray(image), painted)


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
    drops : dict of int to float (rows, columns, targets)
        For each size of the patch, how far the score of each target falls.
    odds : float (rows, columns, targets)
        How far the log-odds fall, in nats, with the patch of the middle size.
    answers : int (rows, columns)
        The most probable class with the largest patch.
    """

    image: np.ndarray
    title: str
    targets: list[str]
    drops: dict[int, np.ndarray]
    odds: np.ndarray
    answers: np.ndarray


def middle(patches: Sequence[int]) -> int:
    """Return the size of the patch whose log-odds are drawn."""
    return sorted(patches)[len(patches) // 2]


def row(
    image: np.ndarray,
    title: str,
    unoccluded: np.ndarray,
    grids: dict[int, np.ndarray],
    targets: Sequence[int],
    classes: Sequence[str],
) -> Row:
    """Return what a sheet shows of an image.

    Parameters
    ----------
    unoccluded : float (classes,)
        Logits without a patch.
    grids : dict of int to float (rows, columns, classes)
        Logits for each size of the patch.
    targets : integers
        The classes that are mapped.
    """

    def falls(grid: np.ndarray, measure: str) -> np.ndarray:
        whole, maps = unoccluded[None, None, None], grid[None]
        return np.stack(
            [
                (target_maps(whole, target, measure) - target_maps(maps, target, measure))[0]
                for target in (np.array([int(target)]) for target in targets)
            ],
            axis=-1,
        )

    score = special.softmax(unoccluded.astype(np.float64))
    names = short(classes, 10)
    return Row(
        image,
        title,
        [f"{names[classes[target]]} {score[target]:.3f}" for target in targets],
        {patch: falls(grid, "score") for patch, grid in grids.items()},
        falls(grids[middle(grids)], "log_odds"),
        grids[max(grids)].argmax(axis=-1),
    )


def sheet(
    rows: list[Row | str],
    classes: Sequence[str],
    patches: Sequence[int],
    stride: int,
    title: str,
    maps: int = 1,
) -> Figure:
    """Draw one sheet: of each image how score and log-odds fall, and the most probable class.

    Parameters
    ----------
    rows : list of Row or str
        A class that has no image is named in a line of text.
    classes : list of str
        Of the network; those that come up are in the legend.
    patches : list of int
        Sides in pixels.
    maps : int
        How many classes of an image there is room for, one below the other.
    """
    first = MARGIN + SIDE + MARGIN  # left edge of the maps
    lefts = [first + i * (SIDE + 2 * GAP) for i in range(len(patches))]
    odds_left = lefts[-1] + SIDE + MARGIN
    answer_left = odds_left + SIDE + 3 * GAP
    height = maps * (SIDE + GAP) + 2 * GAP  # of an image's place
    heights = [LINE if isinstance(row, str) else height for row in rows]
    seen = sorted({int(i) for row in rows if isinstance(row, Row) for i in np.unique(row.answers)})
    width = answer_left + SIDE + BAR
    least = LEGEND_TOP + (len(seen) + 1) * LEGEND_LINE  # so that bar and legend have room
    page = Sheet(width, max(HEAD + sum(heights), least), title)
    _headings(page, lefts, patches, odds_left, answer_left)
    colors = np.array([to_rgb(color) for color in class_colors(len(classes))])
    titles = short((row if isinstance(row, str) else row.title for row in rows), 13)
    for number, row in enumerate(rows):
        top = HEAD + sum(heights[:number])
        if isinstance(row, str):
            line = top + LINE / 2 - GAP
            page.text(MARGIN, line, titles[row], ha="left", fontweight="bold")
            page.text(first, line, "none", ha="left", color="gray")
            continue
        page.image(MARGIN, top, row.image)
        _aside(page, MARGIN, top, titles[row.title], fontweight="bold")
        for place, target in enumerate(row.targets):
            y = top + place * (SIDE + GAP)
            _aside(page, first, y, target)
            for left, patch in zip(lefts, patches, strict=True):
                full = spread(row.drops[patch][..., place], patch, stride, SIDE)
                page.image(left, y, overlay(row.image, full))
            largest = np.abs(row.odds[..., place]).max()
            full = spread(row.odds[..., place], middle(patches), stride, SIDE)
            scale = Normalize(-largest, largest) if largest else SCALE
            page.image(odds_left, y, overlay(row.image, full, scale))
            _aside(page, odds_left, y, f"± {largest:.2g} nats", color="gray")
        full = spread(row.answers, max(patches), stride, SIDE)
        page.image(answer_left, top, tinted(row.image, full, colors))
    _color_bar(page.add_axes(width - BAR + 14, HEAD, 14, BAR_HEIGHT))
    _legend(page, width - BAR + 14, [(short(classes, 10)[classes[i]], colors[i]) for i in seen])
    return page.figure()


def _headings(
    page: Sheet, lefts: list[int], patches: Sequence[int], odds_left: int, answer_left: int
) -> None:
    groups = (
        ("fall of the score", [*zip(lefts, patches, strict=True)]),
        ("log-odds", [(odds_left, middle(patches))]),
        ("most probable", [(answer_left, max(patches))]),
    )
    for name, columns in groups:
        page.text((columns[0][0] + columns[-1][0] + SIDE) / 2, HEAD - 26, name, fontsize=9)
        for left, patch in columns:
            page.text(left + SIDE / 2, HEAD - 10, f"{patch} × {patch}", color="gray")


def _legend(page: Sheet, left: int, entries: list[tuple[str, np.ndarray]]) -> None:
    page.text(left, LEGEND_TOP - LEGEND_LINE, "most probable", ha="left")
    for place, (name, color) in enumerate(entries):
        top = LEGEND_TOP + place * LEGEND_LINE
        page.image(left, top - 5, np.broadcast_to(color, (10, 10, 3)))
        page.text(left + 16, top, name, ha="left")


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


def trust(curves: dict[str, np.ndarray], shares: np.ndarray, title: str) -> Figure:
    """Draw how the score goes while parts of the images are hidden, and shown.

    `curves`, float (3, steps + 1) for each gallery, are the means of those that `curves.measure`
    gives, over `shares` of the image.
    """
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained", sharey=True)
    for gallery, (deletion, random, insertion) in curves.items():
        line = GALLERY_LINES[gallery][1:]
        for axes, ordered, chance in (
            (panels[0], deletion, random),
            (panels[1], insertion, random[::-1]),
        ):
            axes.plot(shares, ordered, line, color="black", label=f"{gallery}, by the map")
            axes.plot(shares, chance, line, color="#d55e00", label=f"{gallery}, at random")
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
