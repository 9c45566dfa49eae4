"""What training made of a few images."""

import numpy as np

from stages.common.base.errors import InputError
from stages.common.base.files import read_array
from stages.common.dataset import Dataset


def read(path: str, data: Dataset) -> tuple[np.ndarray, list[str]]:
    """Read the images that training keeps beside a network, as they are and as it was given them.

    Returns
    -------
    views : uint8 (n, 1 + epochs, 96, 96, 3)
    classes : list of str
        Of the n images.

    Raises
    ------
    InputError
        The file is missing or damaged, or is not of this data set.
    """
    views = read_array(path)
    present = np.unique(data.labels[data.splits["train"]])
    if (
        views.dtype != np.uint8
        or views.ndim != 5
        or views.shape[2:] != data.images.shape[1:]
        or not views.size
        or len(views) > len(present)
    ):
        raise InputError(
            f"{path} holds no images of the classes of data/raw: run `dvc repro` to make it anew"
        )
    return views, [data.classes[label] for label in present[: len(views)]]
