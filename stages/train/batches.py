"""What an epoch sees of the training images."""

from collections.abc import Sequence

import numpy as np
import torch

from stages.common.dataset import Dataset
from stages.train.augmentation import Augmentation, augment, keyed_draws
from stages.train.cutmix import cutmix
from stages.train.params import Train


def augmented_batch(
    dataset: Dataset,
    indices: Sequence[int],
    augmentation: Augmentation | None,
    params: Train,
    epoch: int,
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    """Return images as an epoch sees them: augmented, then some of them mixed with another one.

    All is keyed by (seed, epoch, image): neither the batch nor the number of processes changes what
    an image gets. The other image is any of the training images, as this epoch sees it.

    Returns
    -------
    images : uint8 (n, height, width, 3)
    partners : int64 (n,)
        The image that each is mixed with; itself where it is not.
    kept : float32 (n,)
        Share of each image that is its own.
    """

    def augmented(members: Sequence[int]) -> np.ndarray:
        images = dataset.images[members]
        if augmentation is None:
            return images
        return augment(images, augmentation, params.seed, epoch, members)

    images, partners = augmented(indices), np.array(indices, np.int64)
    kept = np.ones(len(images), np.float32)
    if params.cutmix:
        members = dataset.splits["train"]
        draws = keyed_draws(5, params.seed, "cutmix", epoch, indices)
        chosen = np.flatnonzero(draws[:, 0] < params.cutmix)
        if len(chosen):
            partners[chosen] = members[(draws[chosen, 1] * len(members)).astype(np.int64)]
            others, images = augmented(partners[chosen].tolist()), images.copy()
            images[chosen], kept[chosen] = cutmix(images[chosen], others, draws[chosen, 2:])
    return images, torch.from_numpy(partners), torch.from_numpy(kept)
