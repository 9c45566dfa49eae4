"""Find photographs that are nearly the same, also mirrored: `python -m tools.near_duplicates`.

Exact duplicates stay on one side of the split; what was resized, recoloured, cropped or taken a
moment later does not, and a network that has seen the one in training knows the other in the test.
"""

import argparse

import numpy as np
import pandas as pd
from PIL import Image
from scipy import fft
from scipy.ndimage import uniform_filter

from stages.common import dataset
from stages.common.base import process
from tools.classify import check_sheet

SIDE = 48  # of the maps that are compared
WINDOW = 9  # of the contrast around a point
LEAST_CONTRAST = 8  # grey levels: noise in a sky is no contrast
CANDIDATE = 0.4  # correlation of two maps at half their size, from which on they are looked at
SHIFT = 8  # by how much one is moved on the other
BLOCK = 1000
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def contrast(images: np.ndarray) -> np.ndarray:
    """Return what remains of images (n, 96, 96, 3) without colour, light and contrast.

    Each grey value less the mean around it, divided by the deviation around it: layouts such as a
    ship between sky and sea, which thousands of photographs share, no longer look alike.

    Returns
    -------
    float32 (n, 48, 48)
        Of mean 0 and norm 1 each.
    """
    grey = (images.astype(np.float32) @ GREY).reshape(len(images), SIDE, 2, SIDE, 2).mean((2, 4))
    around = (0, WINDOW, WINDOW)
    detail = grey - uniform_filter(grey, around, mode="nearest")
    spread = np.sqrt(np.maximum(uniform_filter(detail**2, around, mode="nearest"), 0))
    return normalised(detail / (spread + LEAST_CONTRAST))


def normalised(maps: np.ndarray) -> np.ndarray:
    """Bring each of n maps to mean 0 and norm 1; one without any contrast to 0."""
    maps = maps - maps.mean(axis=(1, 2), keepdims=True)
    return maps / np.maximum(np.linalg.norm(maps, axis=(1, 2), keepdims=True), 1e-6)


def candidates(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the pairs i < j of maps that look alike at half their size: int64 (pairs, 2)."""
    half = (len(first), SIDE // 2, 2, SIDE // 2, 2)
    small = [
        normalised(maps.reshape(half).mean((2, 4))).reshape(len(maps), -1)
        for maps in (first, second)
    ]
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(first), BLOCK):
        alike = small[0][start : start + BLOCK] @ small[1][start:].T > CANDIDATE
        found.append(np.argwhere(np.triu(alike, 1)) + start)
    return np.concatenate(found)


def correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the highest correlation of n pairs of maps, over shifts of up to 8 points: (n,)."""
    size = (SIDE + 2 * SHIFT,) * 2
    product = fft.rfft2(first, size) * np.conj(fft.rfft2(second, size))
    shifts = np.arange(-SHIFT, SHIFT + 1)
    return fft.irfft2(product, size)[:, shifts[:, None], shifts].max(axis=(1, 2))


def find(images: np.ndarray, threshold: float) -> pd.DataFrame:
    """Find the pairs of nearly equal images.

    Parameters
    ----------
    images : uint8 (n, 96, 96, 3)
    threshold : float
        Correlation from which on two images are nearly equal.

    Returns
    -------
    DataFrame
        first, second (indices, first < second), mirrored, score; the most alike first.
    """
    starts = range(0, len(images), BLOCK)
    maps = np.concatenate([contrast(images[start : start + BLOCK]) for start in starts])
    found = []
    for mirrored in (False, True):
        others = np.ascontiguousarray(maps[:, :, ::-1]) if mirrored else maps
        pairs = candidates(maps, others)
        parts = np.array_split(pairs, len(pairs) // BLOCK + 1)
        for first, second in (part.T for part in parts):
            score = correlation(maps[first], others[second])
            row = {"first": first, "second": second, "mirrored": mirrored, "score": score}
            found.append(pd.DataFrame(row)[score >= threshold])
    # a symmetric image is like the other one both ways: it counts once
    every = pd.concat(found, ignore_index=True).sort_values("score", ascending=False, kind="stable")
    return every.drop_duplicates(["first", "second"], ignore_index=True)


def sheet(images: np.ndarray, pairs: pd.DataFrame, columns: int = 6) -> Image.Image:
    """Lay the pairs out side by side, row by row."""
    side, gap = images.shape[1], 8
    width, height = 2 * side + gap, side + gap
    page = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), "white")
    for place, (first, second) in enumerate(pairs[["first", "second"]].to_numpy()):
        row, column = divmod(place, columns)
        both = np.concatenate([images[first], images[second]], axis=1)
        page.paste(Image.fromarray(both), (column * width, row * height))
    return page


def main() -> None:
    summary = "Find photographs that are nearly the same; prints a table of them as CSV."
    parser = argparse.ArgumentParser(prog="python -m tools.near_duplicates", description=summary)
    parser.add_argument("--threshold", type=float, default=0.8, metavar="SCORE", help="(0.8)")
    parser.add_argument("--sheet", metavar="PNG", help="draw the pairs, too")
    arguments = parser.parse_args()
    check_sheet("--sheet", arguments.sheet)
    data = dataset.load()
    pairs = find(data.images, arguments.threshold)
    part = pd.Series("", range(len(data.images)))
    for split, members in data.splits.items():
        part[members] = split
    for which in ("first", "second"):
        pairs[f"{which}_class"] = [data.classes[label] for label in data.labels[pairs[which]]]
        pairs[f"{which}_split"] = part[pairs[which]].to_numpy()
    print(pairs.to_csv(index=False, float_format="%.3f", lineterminator="\n"), end="")
    if arguments.sheet and len(pairs):
        sheet(data.images, pairs).save(arguments.sheet)


if __name__ == "__main__":
    process.run_main(main, then=None)
