"""One look for all pictures, and PNGs that are the same bytes whenever the figures are the same."""

import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from stages.common.files import write_bytes

matplotlib.use("Agg")  # no screen is needed, and none changes the result

DPI = 100
GALLERIES = ("correct", "misclassified")
PER_CLASS = 5  # images of a class in a gallery: questions 1.2 and 1.3 ask for five
TITLES = {
    "q1": "Shallow CNN",
    "q2": "Deep CNN",
    "augment": "Deep CNN, augmented",
    "better": "Better CNN",
}
RIGHT, WRONG = "#0072b2", "#d55e00"  # told apart with every kind of colour vision (Okabe and Ito)

matplotlib.rcdefaults()  # whatever the user has set for other pictures
plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
        "font.size": 9,
        "axes.titlesize": 9,
        "figure.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "white",
    }
)


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG and close it."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    plt.close(figure)
    # 64 levels a channel: the eye sees no difference, and a photograph takes a third less space
    picture = picture.point([round(value / 255 * 63) * 255 // 63 for value in range(256)] * 3)
    buffer = io.BytesIO()
    picture.save(buffer, "png")  # and no tag with a version or a time
    write_bytes(path, buffer.getvalue())


def image_grid(
    rows: int, columns: int, title: str, side: float, left: float, right: float, lines: int
) -> tuple[Figure, np.ndarray]:
    """Lay out bare axes for images, each with room for a title, at places that are fixed.

    matplotlib's own layouts fit every axes to its text, which for a hundred of them takes seconds.

    Parameters
    ----------
    rows, columns : int
    title : str
        Of the figure.
    side, left, right : float
        Of an image, and of the margins of the figure, in inches.
    lines : int
        Of text above each image.

    Returns
    -------
    figure
    grid : array of axes (rows, columns)
    """
    gap, text, top, bottom = 0.1, 0.08 + 0.14 * lines, 0.35, 0.1
    width = left + columns * (side + gap) - gap + right
    height = top + rows * (side + text) + bottom
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(width, height),
        squeeze=False,
        gridspec_kw={
            "left": left / width,
            "right": 1 - right / width,
            "top": 1 - (top + text) / height,
            "bottom": bottom / height,
            "wspace": gap / side,
            "hspace": text / side,
        },
    )
    figure.suptitle(title, y=1 - 0.1 / height)
    for axes in grid.flat:
        show_image(axes)
    return figure, grid


def show_image(axes, image=None) -> None:
    """Show an image uint8 (height, width, 3) on bare axes; without one they stay empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if image is not None:
        axes.imshow(image, interpolation="nearest")
