"""What augmentation does to a few images, kept beside the network that is trained with it."""

import numpy as np

from stages.common.dataset import Dataset
from stages.train.augmentation import build
from stages.train.batches import augmented_batch
from stages.train.params import Train

MOST_CLASSES, MOST_EPOCHS = 10, 6


def examples(dataset: Dataset, params: Train) -> np.ndarray:
    """Return the first training image of each class as it is, and as each epoch sees it.

    Returns
    -------
    uint8 (classes, 1 + epochs, 96, 96, 3)
        Of the first classes that have training images and of the first epochs, before a change of
        size; all alike where no augmentation is switched on.
    """
    members = dataset.splits["train"]
    _, firsts = np.unique(dataset.labels[members], return_index=True)
    indices = members[firsts[:MOST_CLASSES]].tolist()
    augmentation = build(params, fill=(dataset.mean * 255).tolist())
    epochs = range(1, min(params.epochs, MOST_EPOCHS) + 1)
    seen = (augmented_batch(dataset, indices, augmentation, params, epoch)[0] for epoch in epochs)
    return np.stack([dataset.images[indices], *seen], axis=1)
