"""What an epoch sees of the training images."""

from collections.abc import Sequence

import numpy as np
import torch

from stages.common.dataset import Dataset
from stages.train.augmentation import Augmentation, augment
from stages.train.cutmix import mix
from stages.train.params import Train


def augmented_batch(
    dataset: Dataset,
    indices: Sequence[int],
    augmentation: Augmentation | None,
    params: Train,
    epoch: int,
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    """Return images as an epoch sees them: augmented, then some of them mixed with another one.

    Parameters
    ----------
    dataset : Dataset
    indices : n integers
        Of training images.
    augmentation : Augmentation, optional
        As `augmentation.build` makes it of the params.
    params : Train
        `cutmix` and `seed` are read.
    epoch : int

    Returns
    -------
    images : uint8 (n, height, width, 3)
    partners : int64 (n,)
        The image that each is mixed with; itself where it is not.
    kept : float32 (n,)
        Share of each image that is its own.
    """
    images = dataset.images[indices]
    if augmentation:
        images = augment(images, augmentation, params.seed, epoch, indices)
    if params.cutmix:
        return mix(dataset, images, augmentation, params.cutmix, params.seed, epoch, indices)
    return images, torch.tensor(indices, dtype=torch.int64), torch.ones(len(indices))
