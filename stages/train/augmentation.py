"""Augmentation of whole batches, drawn anew for each image and each epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.common.reproducible import derived_seed
from stages.train.params import Train

DRAWS = 10  # numbers for an image, always as many: to switch a part on changes no other part
CACHED = 8  # images whose colours are changed at once: more fall out of the processor's cache


@dataclass(frozen=True)
class Augmentation:
    """What is done to each image. Attributes as in `Train`; `fill` is a colour, 0..255.

    torchvision's v2 transforms draw once for whatever they are given, so that a batch would be
    flipped and cropped as one, and given image after image they cost more than a training step of
    a fast network. Here all draws come first and the batch is then put together in one go.
    """

    flip: float
    crop: int
    rotate: float
    color: float
    erase: int
    zoom: float
    fill: tuple[float, ...]

    def __call__(self, images: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Augment a batch: uint8 (n, height, width, 3).

        Parameters
        ----------
        images : uint8 (n, height, width, 3)
        draws : float64 (n, DRAWS)
            Evenly distributed from 0 to 1, without 1.
        """
        flipped, top, left, angle, *factors, erased_top, erased_left, nearer = draws.T
        if self.rotate:
            images = self._rotate(images, angle)
        if self.flip or self.crop or self.zoom:
            images = self._flip_and_crop(images, flipped < self.flip, top, left, nearer)
        if self.color:
            images = self._recolor(images, np.stack(factors))
        if self.erase:
            images = self._erase(images, erased_top, erased_left)
        return images

    def _rotate(self, images, angle) -> np.ndarray:
        # imported where it is needed: it takes half a second
        from torchvision.transforms import v2
        from torchvision.transforms.v2 import functional

        style = {"interpolation": v2.InterpolationMode.BILINEAR, "fill": list(self.fill)}
        rotated = np.empty_like(images)
        for image, out, degrees in zip(images, rotated, self.rotate * (2 * angle - 1), strict=True):
            channels_first = torch.from_numpy(image).permute(2, 0, 1)
            turned = functional.rotate(channels_first, float(degrees), **style)
            out[:] = turned.permute(1, 2, 0).numpy()
        return rotated

    def _flip_and_crop(self, images, flipped, top, left, nearer) -> np.ndarray:
        """Mirror some images, and cut each out of itself, resized and with mirrored margins."""
        count, height, width, _ = images.shape
        places = 2 * self.crop + 1
        y = np.arange(height) + _whole(top, places) - self.crop
        x = np.arange(width) + _whole(left, places) - self.crop
        if self.zoom:
            # as often nearer as further away
            factor = ((1 + self.zoom) ** (2 * nearer - 1))[:, None]
            y, x = (_nearest(side, factor, n) for side, n in ((y, height), (x, width)))
        y, x = _reflect(y, height), _reflect(x, width)
        x = np.where(flipped[:, None], x[:, ::-1], x)
        pixel = (np.arange(count)[:, None] * height + y)[:, :, None] * width + x[:, None, :]
        return images.reshape(-1, 3).take(pixel.ravel(), axis=0).reshape(images.shape)

    def _recolor(self, images, draws) -> np.ndarray:
        """Change brightness, contrast and saturation, as torchvision's functions of these names."""
        factors = torch.from_numpy((1 + self.color * (2 * draws - 1)).astype(np.float32))
        parts = torch.from_numpy(images).split(CACHED), *(f.split(CACHED) for f in factors)
        return np.concatenate([_recolored(*part) for part in zip(*parts, strict=True)])

    def _erase(self, images, top, left) -> np.ndarray:
        images, (height, width) = images.copy(), images.shape[1:3]
        top = _whole(top, height - self.erase + 1).ravel()
        left = _whole(left, width - self.erase + 1).ravel()
        for image, y, x in zip(images, top, left, strict=True):
            image[y : y + self.erase, x : x + self.erase] = np.round(self.fill)
        return images


def _recolored(images: Tensor, *factors: Tensor) -> np.ndarray:
    """Change uint8 (n, height, width, 3) by factors of brightness, contrast, saturation: (n,)."""
    brightness, contrast, saturation = (f[:, None, None, None] for f in factors)
    # channel after channel, so that the processor computes several pixels at once
    x = images.movedim(-1, 1).to(torch.float32, memory_format=torch.contiguous_format)
    x = _bytes(x.mul_(brightness))
    # a sum of whole numbers: exact in whatever order it is added up
    grey = _grey(x).sum(dim=(1, 2, 3), dtype=torch.float64, keepdim=True)
    mean = (grey / (x.shape[2] * x.shape[3])).float()
    x = _bytes(x.mul_(contrast).add_((1 - contrast) * mean))
    x = _bytes((saturation * x).add_((1 - saturation) * _grey(x)))
    return torch.stack(x.to(torch.uint8).unbind(1), dim=-1).numpy()


def _bytes(x: Tensor) -> Tensor:
    """Bring values to whole ones from 0 to 255, in place."""
    return x.clamp_(0, 255).floor_()


def _grey(x: Tensor) -> Tensor:
    """Return the luminance of images (n, 3, height, width) in whole numbers, with one channel."""
    red, green, blue = x.unbind(1)
    return (0.2989 * red).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()[:, None]


def _whole(draws: np.ndarray, count: int) -> np.ndarray:
    """Turn draws (n,) into whole numbers below `count`: int64 (n, 1)."""
    return (draws * count).astype(np.int64)[:, None]


def _nearest(places: np.ndarray, factor: np.ndarray, length: int) -> np.ndarray:
    """Look for the pixels that come to some places when a side grows from its middle.

    Fine stripes get a moire by it. A filter against that takes four times as long, and no
    difference of the accuracy could be told from chance.
    """
    middle = (length - 1) / 2
    return np.floor((places - middle) / factor + middle + 0.5).astype(np.int64)


def _reflect(places: np.ndarray, length: int) -> np.ndarray:
    """Mirror places beyond an end of a side back onto it; the end itself is not repeated."""
    there_and_back = 2 * (length - 1)
    places = np.abs(places) % there_and_back
    return np.minimum(places, there_and_back - places)


def build(params: Train, fill: Sequence[float]) -> Augmentation | None:
    """Take what `params` switches on; None where nothing is.

    `fill`, 0..255, colours an erased square and the corners that a rotation leaves open.
    """
    switches = [params.flip, params.crop, params.rotate, params.color, params.erase, params.zoom]
    return Augmentation(*switches, fill=tuple(fill)) if any(switches) else None


def augment(
    images: np.ndarray, augmentation: Augmentation, seed: int, epoch: int, indices: Sequence[int]
) -> np.ndarray:
    """Augment a batch, each image by draws of its own: uint8 (n, height, width, 3) again."""
    return augmentation(images, keyed_draws(DRAWS, seed, "augmentation", epoch, indices))


def keyed_draws(
    count: int, seed: int, purpose: str, epoch: int, indices: Sequence[int]
) -> np.ndarray:
    """Draw numbers for images, keyed by (seed, purpose, epoch, image).

    Neither the order of the images, nor the batch size, nor the number of processes changes what an
    image gets.

    Returns
    -------
    float64 (n, count)
        Evenly distributed from 0 to 1, without 1.
    """
    draws = torch.empty(len(indices), count, dtype=torch.float64)
    generator = torch.Generator()
    for row, index in zip(draws, indices, strict=True):
        generator.manual_seed(derived_seed(seed, purpose, epoch, index))
        torch.rand(count, generator=generator, out=row)
    return draws.numpy()
