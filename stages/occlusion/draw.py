"""Sheets of occlusion heatmaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, SymLogNorm, to_rgb
from matplotlib.figure import Figure
from scipy import special

from stages.common.figures import Sheet, class_colors, short
from stages.common.heatmaps import centers, middle
from stages.occlusion.measures import fall

# one scale for every sheet, so that any two maps compare; logarithmic beyond 0.01, because the most
# confident answers hardly move under a small patch and collapse under a large one
SCALE = SymLogNorm(linthresh=0.01, linscale=0.5, vmin=-1, vmax=1)
COLORS = plt.get_cmap("RdBu_r")
TICKS = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]
# share of a class's colour where it is the most probable one, as without a patch or in its stead;
# the rest is the image
KEPT, CHANGED = 0.35, 0.85
# of a sheet, in pixels
SIDE, GAP, MARGIN, HEAD, BAR, BAR_HEIGHT, LINE = 96, 4, 24, 80, 104, 196, 28
HEADINGS = HEAD - 18  # amid the last line: below them a long sheet may be cut
LEGEND_LINE = 16
LEGEND_TOP = HEAD + BAR_HEIGHT + 40  # of the classes' colours, below the colour bar


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


def tinted(
    image: np.ndarray, classes: np.ndarray, colors: np.ndarray, predicted: int
) -> np.ndarray:
    """Paint a grey version of an image in the colours of the classes that it is taken for.

    `classes`, float (height, width), numbers the rows of `colors`, float (classes, 3), and is NaN
    where nothing is known. What is taken for another class than `predicted` stands out.

    Returns
    -------
    float (height, width, 3), 0..1
    """
    density = np.where(classes == predicted, KEPT, CHANGED) * ~np.isnan(classes)
    tint = colors[np.nan_to_num(classes).astype(int)]
    return (1 - density[..., None]) * gray(image) + density[..., None] * tint


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
    log_odds : float (rows, columns, targets)
        How far the log-odds fall, in nats, with the patch of the middle size.
    predicted : int
        The most probable class without a patch.
    answers : int (rows, columns)
        The most probable class with the largest patch.
    """

    image: np.ndarray
    title: str
    targets: list[str]
    drops: dict[int, np.ndarray]
    log_odds: np.ndarray
    predicted: int
    answers: np.ndarray


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
        return np.stack([fall(unoccluded, grid, target, measure) for target in targets], axis=-1)

    score = special.softmax(unoccluded.astype(np.float64))
    names = short(classes, 10)
    return Row(
        image,
        title,
        [f"{names[classes[target]]} {score[target]:.3f}" for target in targets],
        {patch: falls(grid, "score") for patch, grid in grids.items()},
        falls(grids[middle(grids)], "log_odds"),
        int(unoccluded.argmax()),
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
    log_odds_left = lefts[-1] + SIDE + MARGIN
    answer_left = log_odds_left + SIDE + 3 * GAP
    height = maps * (SIDE + GAP) + 2 * GAP  # of an image's place
    heights = [LINE if isinstance(row, str) else height for row in rows]
    seen = sorted({int(i) for row in rows if isinstance(row, Row) for i in np.unique(row.answers)})
    width = answer_left + SIDE + BAR
    least = LEGEND_TOP + (len(seen) + 1) * LEGEND_LINE  # so that bar and legend have room
    page = Sheet(width, max(HEAD + sum(heights), least), title)
    _headings(page, lefts, patches, log_odds_left, answer_left)
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
            _log_odds(
                page, log_odds_left, y, row.image, row.log_odds[..., place], middle(patches), stride
            )
        full = spread(row.answers, max(patches), stride, SIDE)
        page.image(answer_left, top, tinted(row.image, full, colors, row.predicted))
    _color_bar(page.add_axes(width - BAR + 14, HEAD + 5, 14, BAR_HEIGHT))
    _legend(page, width - BAR + 14, [(short(classes, 10)[classes[i]], colors[i]) for i in seen])
    return page.figure()


def fills(
    rows: list[tuple[np.ndarray, str, dict[str, np.ndarray]]],
    patch: int,
    strides: dict[str, int],
    title: str,
) -> Figure:
    """Draw how the log-odds of a class fall with each fill of the patch, side by side.

    Parameters
    ----------
    rows : list of image, title, falls
        As in `Row`; the falls are float (rows, columns), by fill.
    strides : dict of str to int
        Pixels between positions, by fill.
    """
    lefts = {fill: MARGIN + i * (SIDE + MARGIN + 2 * GAP) for i, fill in enumerate(strides, 1)}
    step = SIDE + 3 * GAP
    page = Sheet(max(lefts.values()) + SIDE + MARGIN, HEAD + len(rows) * step, title)
    for name, left in zip(short(strides).values(), lefts.values(), strict=True):
        page.text(left + SIDE / 2, HEADINGS, name, fontsize=9)
    titles = short((title for _, title, _ in rows), 13)
    for number, (image, title, falls) in enumerate(rows):
        top = HEAD + number * step
        page.image(MARGIN, top, image)
        _aside(page, MARGIN, top, titles[title], fontweight="bold")
        for fill, fall_of_fill in falls.items():
            _log_odds(page, lefts[fill], top, image, fall_of_fill, patch, strides[fill])
    return page.figure()


def _log_odds(
    page: Sheet,
    left: int,
    top: int,
    image: np.ndarray,
    falls: np.ndarray,
    patch: int,
    stride: int,
) -> None:
    """Place the overlay of a fall of log-odds on its own scale, and write that beside it."""
    largest = np.abs(falls).max()
    scale = Normalize(-largest, largest) if largest else SCALE
    page.image(left, top, overlay(image, spread(falls, patch, stride, SIDE), scale))
    digits = f"{largest:.2g}" if largest < 100 else f"{largest:.0f}"
    _aside(page, left, top, f"± {digits} nats", color="gray")


def _headings(
    page: Sheet, lefts: list[int], patches: Sequence[int], log_odds_left: int, answer_left: int
) -> None:
    groups = (
        ("fall of the score", [*zip(lefts, patches, strict=True)]),
        ("fall of log-odds", [(log_odds_left, middle(patches))]),
        ("most probable", [(answer_left, max(patches))]),
    )
    for name, columns in groups:
        page.text((columns[0][0] + columns[-1][0] + SIDE) / 2, HEADINGS - 14, name, fontsize=9)
        for left, patch in columns:
            page.text(left + SIDE / 2, HEADINGS, f"{patch} × {patch}", color="gray")


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
