"""What augmentation does to a few images, kept beside the network that is trained with it."""

import numpy as np

from stages.common.dataset import Dataset
from stages.train.augmentation import augment, build
from stages.train.cutmix import mix
from stages.train.params import Train

MOST_CLASSES, MOST_EPOCHS = 10, 6


def examples(dataset: Dataset, params: Train) -> np.ndarray:
    """Give the first training image of each class as it is, and as each epoch sees it.

    Parameters
    ----------
    dataset : Dataset
    params : Train

    Returns
    -------
    uint8 (classes, 1 + epochs, 96, 96, 3)
        Of the first classes that have training images and of the first epochs, before a change of
        size; all alike where no augmentation is switched on.
    """
    members = dataset.splits["train"]
    _, firsts = np.unique(dataset.labels[members], return_index=True)
    indices = members[firsts[:MOST_CLASSES]]
    images = dataset.images[indices]
    views = [images]
    augmentation = build(params, fill=(dataset.mean * 255).tolist())
    for epoch in range(1, min(params.epochs, MOST_EPOCHS) + 1):
        given = images
        if augmentation:
            given = augment(images, augmentation, params.seed, epoch, indices.tolist())
        if params.cutmix:
            mixed = (augmentation, params.cutmix, params.seed, epoch, indices.tolist())
            given, _, _ = mix(dataset, given, *mixed)
        views.append(given)
    return np.stack(views, axis=1)
