"""What may stand in `train`, and in the groups of single networks that override it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.common.base.params import Group, Seed
from stages.common.study import ARCHITECTURES

Share = Annotated[float, Field(ge=0, le=1)]


class Train(Group):
    """Every hyperparameter of a training."""

    architecture: Literal[ARCHITECTURES]
    seed: Seed
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=65_536)]
    # of convolutions and linear layers; weights, normalisation and loss stay float32
    precision: Literal["float32", "bfloat16"]
    # side of the images in pixels, from the first epochs to the last
    sizes: Annotated[list[Annotated[int, Field(ge=32, le=96)]], Field(min_length=1, max_length=100)]
    optimizer: Literal["adamw", "sgd"]
    lr: Annotated[float, Field(gt=0, le=100)]
    schedule: Literal["constant", "one_cycle"]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, le=1)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    # fixed: the range -1..1 · channels: mean 0 and standard deviation 1 of each channel over the
    # training images
    normalize: Literal["fixed", "channels"]
    # augmentation, drawn for each image and epoch; 0 switches a part off
    flip: Share  # probability of a horizontal flip
    crop: Annotated[int, Field(ge=0, le=95)]  # random crop after reflect-padding by so many pixels
    rotate: Annotated[float, Field(ge=0, le=180)]  # degrees to either side
    color: Share  # how far brightness, contrast and saturation may change
    erase: Annotated[int, Field(ge=0, le=95)]  # side of a square that is painted over, in pixels
    zoom: Share  # nearer or further away by up to this share
    cutmix: Share  # probability that a part is that of another image

    @model_validator(mode="after")
    def sizes_suit_the_network(self):
        if self.architecture == "ShallowCNN" and set(self.sizes) != {96}:
            raise ValueError(f"sizes is {self.sizes}: ShallowCNN takes images of 96 pixels alone")
        return self
