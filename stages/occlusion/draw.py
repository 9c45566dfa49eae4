"""Sheets of occlusion heatmaps."""

from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

from stages.common.figures import image_grid
from stages.occlusion.measures import centers

# one scale for every sheet, so that any two maps compare; logarithmic beyond 0.01, because the most
# confident answers hardly move under a small patch and collapse under a large one
SCALE = SymLogNorm(linthresh=0.01, linscale=0.5, vmin=-1, vmax=1)
COLORS = plt.get_cmap("RdBu_r")
TICKS = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]


def overlay(image: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Lay a heatmap over a grey version of its image, the denser the further the score moves.

    Parameters
    ----------
    image : uint8 (height, width, 3)
    heatmap : float (height, width)
        How far the score falls, -1..1.

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

    Parameters
    ----------
    heatmap : float (rows, columns)
    patch, stride, size : int
        In pixels.

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
    actual : str
        Its true class.
    targets : list of str
        The classes that are mapped: the predicted one, and the true one where it differs.
    drops : list of float (rows, columns, targets), one a patch
        How far the score of each target falls.
    """

    image: np.ndarray
    actual: str
    targets: list[str]
    drops: list[np.ndarray]


def sheet(
    rows: list[Row | None], patches: list[int], stride: int, title: str, maps: int = 1
) -> Figure:
    """Draw one sheet: a row an image, and for each patch and target its map and its overlay.

    Parameters
    ----------
    rows : list of Row or None
        None leaves a row empty.
    patches : list of int
        Sides in pixels.
    stride : int
    title : str
    maps : int
        How many classes of an image there is room for, at each patch.
    """
    columns = 1 + 2 * maps * len(patches)
    figure, grid = image_grid(len(rows), columns, title, side=1.0, left=0.1, right=1.1, lines=1)
    for cells, row in zip(grid, rows, strict=True):
        if row is None:
            cells[0].text(0.5, 0.5, "none", ha="center", va="center", color="gray")
            continue
        cells[0].imshow(row.image)
        cells[0].set_title(row.actual, fontsize=8, pad=2, fontweight="bold")
        pairs = zip(cells[1::2], cells[2::2], strict=True)
        for patch, drops in zip(patches, row.drops, strict=True):
            for number, target in enumerate(row.targets):
                plain, over = next(pairs)
                full = spread(drops[..., number], patch, stride, len(row.image))
                colors = COLORS(SCALE(np.nan_to_num(full)))
                plain.imshow(np.where(np.isnan(full)[..., None], 1, colors))
                over.imshow(overlay(row.image, np.nan_to_num(full)))
                plain.set_title(f"{target}, patch {patch}", fontsize=8, pad=2)
    width = figure.get_size_inches()[0]
    place = figure.add_axes((1 - 0.95 / width, 0.25, 0.15 / width, 0.5))
    bar = figure.colorbar(ScalarMappable(SCALE, COLORS), cax=place, ticks=TICKS)
    bar.ax.set_yticklabels([f"{tick:g}" for tick in TICKS])
    bar.set_label("how far hiding this part lowers the score of the class")
    return figure
