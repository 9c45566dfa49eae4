"""Augmentation: torchvision's transforms, drawn anew for each image and each epoch."""

import torch
from torch import Tensor
from torchvision.transforms import v2

from stages.common.reproducible import key
from stages.train.params import Train


def build(params: Train, fill: list[float], size: int = 96) -> v2.Transform | None:
    """Compose the transforms that `params` switches on.

    Parameters
    ----------
    params : Train
        `flip`, `crop`, `rotate`, `color` and `erase` are read.
    fill : three floats
        Colour (0..255) of an erased square and of the corners that a rotation leaves open.
    size : int
        Height and width of the images.

    Returns
    -------
    v2.Transform or None
        Maps one image uint8 (3, size, size) to another; None where nothing is switched on.
    """
    transforms = []
    if params.flip:
        transforms.append(v2.RandomHorizontalFlip(params.flip))
    if params.rotate:
        bilinear = v2.InterpolationMode.BILINEAR
        transforms.append(v2.RandomRotation(params.rotate, interpolation=bilinear, fill=fill))
    if params.crop:
        transforms.append(v2.RandomCrop(size, padding=params.crop, padding_mode="reflect"))
    if params.color:
        transforms.append(v2.ColorJitter(params.color, params.color, params.color))
    if params.erase:
        share = (params.erase / size) ** 2
        transforms.append(v2.RandomErasing(1, (share, share), (1, 1), value=fill))
    return v2.Compose(transforms) if transforms else None


def augment(images: Tensor, transform: v2.Transform, seed: int, epoch: int, indices) -> Tensor:
    """Augment a batch, each image by a draw of its own.

    A v2 transform draws once for whatever it is given, so that a batch would be flipped and cropped
    as one. Here each image is given alone, with a generator keyed by (seed, epoch, image): neither
    the order of the images, nor the batch size, nor the number of processes changes what it gets.

    Parameters
    ----------
    images : uint8 (n, height, width, 3)
    transform : v2.Transform
    seed, epoch : int
    indices : n integers
        Which images of the data set these are.

    Returns
    -------
    uint8 (n, height, width, 3)
    """
    augmented = torch.empty_like(images)
    # the transforms draw from torch's global generator: it is put back as it was
    with torch.random.fork_rng(devices=[]):
        for image, out, index in zip(images, augmented, indices, strict=True):
            torch.default_generator.manual_seed(key(seed, "augmentation", epoch, index))
            out.copy_(transform(image.permute(2, 0, 1)).permute(1, 2, 0))
    return augmented
