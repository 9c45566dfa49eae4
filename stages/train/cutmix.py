"""CutMix: a part of an image is that of another one, and so is its share of the label."""

import numpy as np


def cutmix(
    images: np.ndarray, others: np.ndarray, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Replace a rectangle of each image by the same rectangle of another one.

    Yun et al. 2019: the rectangle has the image's proportions, its area is drawn evenly, its centre
    anywhere, and what lies beyond the image is cut off.

    Parameters
    ----------
    images, others : uint8 (n, height, width, 3)
    draws : float64 (n, 3)
        Area and centre, evenly distributed from 0 to 1, without 1.

    Returns
    -------
    mixed : uint8 (n, height, width, 3)
    kept : float32 (n,)
        Share of each image that is its own.
    """
    mixed, (height, width) = images.copy(), images.shape[1:3]
    kept = np.ones(len(images), np.float32)
    for place, (area, down, right) in enumerate(draws):
        rows, columns = _part(np.sqrt(area), down, height), _part(np.sqrt(area), right, width)
        mixed[place, rows, columns] = others[place, rows, columns]
        replaced = (rows.stop - rows.start) * (columns.stop - columns.start)
        kept[place] = 1 - replaced / (height * width)
    return mixed, kept


def _part(share: float, centre: float, length: int) -> slice:
    """Return a part of a side, cut off at its ends."""
    half = share * length / 2
    first, last = centre * length - half, centre * length + half
    return slice(max(round(first), 0), min(round(last), length))
