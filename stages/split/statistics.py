"""What the split looks like in numbers."""

import numpy as np

from stages.common.study import SPLITS


def channel_statistics(
    images: np.ndarray, indices: np.ndarray, batch_size: int = 1024
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean and standard deviation of each colour channel over some images.

    The sums are of integers, hence exact: no batch size and no order changes a bit.

    `images` is uint8 (n, height, width, 3), `indices` name those that count.

    Returns
    -------
    mean, std : float64 (3,)
        On the scale 0..1.
    """
    total = np.zeros(3, np.int64)
    squares = np.zeros(3, np.int64)
    for start in range(0, len(indices), batch_size):
        pixels = images[indices[start : start + batch_size]].reshape(-1, 3)
        for channel in range(3):
            counts = np.bincount(pixels[:, channel], minlength=256)
            total[channel] += counts @ np.arange(256)
            squares[channel] += counts @ np.arange(256) ** 2
    count = len(indices) * images[0, ..., 0].size
    mean = total / count
    variance = squares / count - mean**2
    # a channel without any variation must not divide by zero later
    return mean / 255, np.maximum(np.sqrt(np.maximum(variance, 0)), 1) / 255


def summary(
    split: np.ndarray, labels: np.ndarray, groups: np.ndarray, classes: list[str]
) -> dict[str, object]:
    """Count the images of each class in each split, and the exact duplicates.

    Returns
    -------
    dict
        `images` of each split, in all and by class; `duplicates`: how many images repeat an earlier
        one, and how many of those stand in another split than it (none if split by parts).
    """
    repeats = groups != np.arange(len(groups))
    counts = {}
    for side in SPLITS:
        per_class = np.bincount(labels[split == side], minlength=len(classes))
        counts[side] = {
            "total": int(per_class.sum()),
            "by_class": dict(zip(classes, per_class.tolist(), strict=True)),
        }
    return {
        "images": counts,
        "duplicates": {
            "images": int(repeats.sum()),
            "across_splits": int((split[repeats] != split[groups[repeats]]).sum()),
        },
    }
