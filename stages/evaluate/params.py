"""What may stand in `evaluate`."""

from typing import Literal

from stages.common.base.params import Group


class Evaluate(Group):
    """How a network is looked at."""

    # the class under which the gallery of misclassified images lists one
    group_by: Literal["actual", "predicted"]
    # flip: accuracy is also measured on the mean scores of an image and its mirror image
    test_time_augmentation: Literal["none", "flip"]
