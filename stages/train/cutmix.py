"""CutMix: a part of an image is that of another one, and so is its share of the label."""

from collections.abc import Sequence

import numpy as np
import torch

from stages.common.dataset import Dataset
from stages.common.reproducible import derived_seed
from stages.train.augmentation import Augmentation, augment


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


def mix(
    dataset: Dataset,
    images: np.ndarray,
    augmentation: Augmentation | None,
    probability: float,
    seed: int,
    epoch: int,
    indices: Sequence[int],
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    """Apply CutMix to some images of a batch, each with another one as this epoch sees it.

    All is keyed by (seed, epoch, image): neither the batch nor the number of processes changes what
    an image gets.

    Parameters
    ----------
    dataset : Dataset
        The other image is any of its training images.
    images : uint8 (n, height, width, 3)
        Augmented.
    augmentation : Augmentation, optional
        What the others get, too.
    probability : float
    seed, epoch : int
    indices : n integers
        Which images of the data set these are.

    Returns
    -------
    mixed : uint8 (n, height, width, 3)
    partners : int64 (n,)
        The other image of each; itself where there is none.
    kept : float32 (n,)
        Share of each image that is its own.
    """
    members, generator = dataset.splits["train"], torch.Generator()
    draws = torch.empty(len(images), 5, dtype=torch.float64)
    for row, index in zip(draws, indices, strict=True):
        generator.manual_seed(derived_seed(seed, "cutmix", epoch, index))
        torch.rand(5, generator=generator, out=row)
    draws = draws.numpy()
    chosen = np.flatnonzero(draws[:, 0] < probability)
    partners, kept = np.array(indices, np.int64), np.ones(len(images), np.float32)
    if len(chosen):
        partners[chosen] = members[(draws[chosen, 1] * len(members)).astype(np.int64)]
        others = dataset.images[partners[chosen]]
        if augmentation:
            others = augment(others, augmentation, seed, epoch, partners[chosen].tolist())
        images = images.copy()
        images[chosen], kept[chosen] = cutmix(images[chosen], others, draws[chosen, 2:])
    return images, torch.from_numpy(partners), torch.from_numpy(kept)
