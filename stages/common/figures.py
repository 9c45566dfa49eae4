"""One look for all pictures, and PNGs that are the same bytes for the same content."""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import hsv_to_rgb, to_hex
from matplotlib.figure import Figure
from PIL import Image

from stages.common.base.files import write_bytes
from stages.common.study import SPLIT_TITLES

matplotlib.use("Agg")  # no screen is needed, and none changes the result

DPI = 100
MOST_TEXT = 20  # classes of a matrix whose cells have room for text
RIGHT, WRONG = "#000000", "#d55e00"
# matplotlib's own ten, with black in place of grey
QUALITATIVE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd")
QUALITATIVE += ("#8c564b", "#e377c2", "#000000", "#bcbd22", "#17becf")
LINES = {"train": ":", "val": "-", "test": "--"}
# a training measures as many training images an epoch as there are validation images, not all
CURVES = SPLIT_TITLES | {"train": "train (a sample)"}


def _levels(count: int) -> np.ndarray:
    """Map the 256 values of a channel to fewer, from 0 to 255: uint8 (256,)."""
    return np.round(np.round(np.arange(256) * (count - 1) / 255) * 255 / (count - 1)).astype("u1")


# fewer levels take less space: half of it in a photograph, where the eye sees no difference
LEVELS, PHOTO_LEVELS = _levels(64), _levels(32)

matplotlib.rcdefaults()  # whatever the user has set for other pictures
plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
        "font.size": 9,
        "axes.titlesize": 9,
        "figure.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": "#e5e5e5",
        "legend.frameon": False,
        "figure.facecolor": "white",
    }
)


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG and close it."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = LEVELS[np.asarray(canvas.buffer_rgba())[..., :3]]
    plt.close(figure)
    buffer = io.BytesIO()
    _smallest(pixels).save(buffer, "png")  # and no tag with a version or a time
    write_bytes(path, buffer.getvalue())


def _smallest(pixels: np.ndarray) -> Image.Image:
    """Store one byte a pixel where there are no more than 256 colours: a third of the space."""
    red, green, blue = np.moveaxis(pixels.astype(np.int64), -1, 0)
    colors, place = np.unique((red << 16) + (green << 8) + blue, return_inverse=True)
    if len(colors) > 256:
        return Image.fromarray(pixels)
    picture = Image.fromarray(place.reshape(pixels.shape[:2]).astype(np.uint8), "P")
    picture.putpalette(np.stack([colors >> 16, colors >> 8, colors], 1).astype(np.uint8).tobytes())
    return picture


def short(names: Iterable[str], length: int = 16) -> dict[str, str]:
    """Cut names that a picture has no room for, so that those that differ still do.

    They are cut at the end, else in the middle, else with their number at the end: whichever first
    tells a name from all others.
    """

    def cut(name: str, end: str) -> str:
        return name if len(name) <= length else f"{name[: length - 1 - len(end)]}…{end}"

    names = list(dict.fromkeys(names))
    ways = [
        [cut(name, "") for name in names],
        [cut(name, name[-(length // 2) :]) for name in names],
        [cut(name, str(number)) for number, name in enumerate(names, 1)],
    ]
    counts = [Counter(way) for way in ways]
    return {
        name: next((c for c, n in zip(cuts, counts, strict=True) if n[c] == 1), cuts[-1])
        for name, *cuts in zip(names, *ways, strict=True)
    }


def class_colors(count: int) -> list[str]:
    """Return colours that tell so many classes apart, such as "#1f77b4"; no grey is among them."""
    if count <= len(QUALITATIVE):
        return list(QUALITATIVE[:count])
    # around the wheel, in turn light and dark
    hue, dark = np.arange(count) / count, np.arange(count) % 2
    wheel = hsv_to_rgb(np.stack([hue, 0.6 + 0.4 * dark, 0.95 - 0.35 * dark], axis=1))
    return [to_hex(color) for color in wheel]


def unit_ticks(axes: Axes, which: str = "y") -> None:
    """Show shares from 0 to 1 as percentages, with a faint grid."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_ylim if which == "y" else axes.set_xlim)(0, 1)
    axis.set_ticks(np.linspace(0, 1, 6), [f"{share} %" for share in range(0, 101, 20)])
    axis.grid(True)


def matrix(
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    classes: Sequence[str],
    colors: str,
    limits: tuple[float, float],
    dark: np.ndarray,
) -> tuple[Figure, Colorbar]:
    """Draw a confusion matrix, or what has its form: a row a true class, a column a prediction.

    `values` are what the cells are coloured by, float (c, c), `texts` what stands in them where
    there is room, `limits` the ends of the colour map, and `dark`, bool (c, c), tells where the
    text must be white.

    Returns
    -------
    Figure, Colorbar
    """
    side = 1.9 + 0.46 * np.clip(len(classes), 4, MOST_TEXT)
    figure, axes = plt.subplots(figsize=(side + 0.3, side - 0.5), layout="constrained")
    image = axes.imshow(values, cmap=colors, vmin=limits[0], vmax=limits[1])
    if len(classes) <= MOST_TEXT:
        style = {"ha": "center", "va": "center", "fontsize": 9}
        for (i, j), is_dark in np.ndenumerate(dark):
            style["color"] = "white" if is_dark else "black"
            style["linespacing"] = 1.0 if "\n" in texts[i][j] else None
            axes.text(j, i, texts[i][j], **style)
    names, places = short(classes).values(), range(len(classes))
    axes.set_yticks(places, names)
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel("predicted", fontsize=10)
    axes.set_ylabel("true class", fontsize=10)
    axes.tick_params(labelsize=10)
    axes.spines[:].set_visible(True)
    bar = figure.colorbar(image, ax=axes, extend="both" if limits[0] < 0 else "neither")
    return figure, bar


class Sheet:
    """A white page on which images and text are placed by the pixel.

    Images keep their pixels, and a page of a hundred is drawn as quickly as one: to matplotlib it
    is a single image.

    Parameters
    ----------
    width, height : int
        In pixels.

    Attributes
    ----------
    page : uint8 (height, width, 3)
        All images in their places.
    axes : Axes
        For text; its coordinates are pixels from the top left corner.
    """

    def __init__(self, width: int, height: int, title: str):
        self.page = np.full((height, width, 3), 255, np.uint8)
        self._figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        self._figure.suptitle(title, y=1 - 10 / height)
        self.axes = self.add_axes(0, 0, width, height)
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis("off")

    def image(self, left: int, top: int, image: np.ndarray) -> None:
        """Place an image, uint8 (height, width, 3) or float 0..1."""
        if image.dtype != np.uint8:
            image = np.round(image * 255).astype(np.uint8)
        height, width = image.shape[:2]
        self.page[top : top + height, left : left + width] = PHOTO_LEVELS[image]

    def text(self, left: float, top: float, text: str, **style) -> None:
        """Write text, by default centred around a place."""
        style = {"ha": "center", "va": "center", "fontsize": 8} | style
        self.axes.text(left, top, text, **style)

    def add_axes(self, left: int, top: int, width: int, height: int) -> Axes:
        """Add axes that are placed by the pixel."""
        full_height, full_width = self.page.shape[:2]
        bottom = full_height - top - height
        return self._figure.add_axes(
            (left / full_width, bottom / full_height, width / full_width, height / full_height)
        )

    def figure(self) -> Figure:
        """Return the finished page."""
        self._figure.figimage(self.page, zorder=-1)  # beneath the text
        return self._figure


def contact_sheet(classes: list[str], groups: list[tuple[list[str], Any]], title: str) -> Figure:
    """Draw small images, a row a class, in groups of columns that are a little apart.

    `groups` are headings, spread evenly above the columns, and rows, a class each, of uint8
    (96, 96, 3), which may be shorter than others.
    """
    side, gap, head = 64, 4, 54  # pixels
    step = side + gap
    labels = short(classes)
    margin = 20 + 8 * max(map(len, labels.values()))
    # of a group: at least that of its headings
    widths = [
        max(max(map(len, rows)) * step, sum(7 * len(heading) for heading in headings))
        for headings, rows in groups
    ]
    width = margin + sum(widths) + len(groups) * 4 * gap
    sheet = Sheet(width, head + len(classes) * step + gap, title)
    for row, name in enumerate(classes):
        style = {"ha": "right", "fontsize": 9, "fontweight": "bold"}
        sheet.text(margin - 8, head + row * step + side / 2, labels[name], **style)
    left = margin
    for (headings, rows), width in zip(groups, widths, strict=True):
        for place, heading in enumerate(headings):
            middle = left + (place + 0.5) * width / len(headings) - gap / 2
            sheet.text(middle, head - 10, heading, fontsize=9)
        for row, images in enumerate(rows):
            for column, image in enumerate(images):
                small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
                sheet.image(left + column * step, head + row * step, np.asarray(small))
        left += width + 4 * gap
    return sheet.figure()
