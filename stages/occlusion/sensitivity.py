"""Occlusion sensitivity: what a network answers while a patch hides a part of the image.

After Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from stages.common.inference import BATCH_SIZE, Model, predict

GRAY = 128.0
METHODS = ("batched",)


def positions(size: int, patch: int, stride: int) -> np.ndarray:
    """Return the top or left edges of a patch that slides over `size` pixels: int64 (m,)."""
    return np.arange(0, size - patch + 1, stride)


def occluded_scores(
    model: Model | nn.Module,
    image: np.ndarray,
    patch: int = 16,
    stride: int = 4,
    fill: float | Sequence[float] = GRAY,
    batch_size: int = BATCH_SIZE,
) -> np.ndarray:
    """Return all softmax scores of one image with the patch at each position.

    Parameters
    ----------
    model : Model or nn.Module
        What `inference.load` returns; a plain module gets images that are only scaled to 0..1.
    image : uint8 (height, width, 3)
    patch : int
        Side of the square patch, in pixels.
    stride : int
        Pixels from one position to the next.
    fill : number or three numbers
        Grey value or colour of the patch, 0..255.
    batch_size : int
        Occluded images at a time; the result does not depend on it.

    Returns
    -------
    float32 (rows, columns, classes)
        The patch's top left corner lies at (row * stride, column * stride).

    Raises
    ------
    ValueError
        The patch does not fit into the image, the stride is below 1, or the fill is no colour.
    """
    height, width = image.shape[:2]
    if not 1 <= patch <= min(height, width):
        raise ValueError(f"patch is {patch}: 1 to {min(height, width)} pixels are allowed")
    if stride < 1:
        raise ValueError(f"stride is {stride}: 1 pixel or more is needed")
    color = np.broadcast_to(np.asarray(fill, np.float64), (3,))
    if not np.all((color >= 0) & (color <= 255)):
        raise ValueError(f"fill is {fill}: one or three numbers from 0 to 255 are needed")
    color = np.round(color).astype(np.uint8)
    rows, columns = positions(height, patch, stride), positions(width, patch, stride)
    corners = [(top, left) for top in rows for left in columns]
    scores = []
    for start in range(0, len(corners), batch_size):
        batch = corners[start : start + batch_size]
        occluded = np.repeat(image[None], len(batch), axis=0)
        for copy, (top, left) in zip(occluded, batch, strict=True):
            copy[top : top + patch, left : left + patch] = color
        scores.append(predict(model, occluded, batch_size))
    return np.concatenate(scores).reshape(len(rows), len(columns), -1)


def occlusion_maps(
    model: Model | nn.Module,
    images: np.ndarray,
    targets: np.ndarray | torch.Tensor,
    patch: int = 16,
    stride: int = 4,
    fill: float | Sequence[float] = GRAY,
    method: str = "batched",
) -> np.ndarray:
    """Return heatmaps: the score of a class while the patch hides each part of the image.

    Parameters
    ----------
    model : Model or nn.Module
        What `inference.load` returns; a plain module gets images that are only scaled to 0..1.
    images : uint8 (n, height, width, 3)
    targets : integers (n,)
        The class whose score is mapped.
    patch, stride, fill
        As for `occluded_scores`.
    method : "batched"
        Every occluded image goes through the whole network.

    Returns
    -------
    float32 (n, rows, columns)
        Softmax score with the patch's top left corner at (row * stride, column * stride);
        rows = (height - patch) // stride + 1.

    Raises
    ------
    ValueError
        An argument is out of range, or there is not one target an image.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: {' or '.join(map(repr, METHODS))} is needed")
    if len(images) != len(targets):
        raise ValueError(f"{len(images)} images need as many targets, not {len(targets)}")
    maps = [
        occluded_scores(model, np.asarray(image), patch, stride, fill)[..., int(target)]
        for image, target in zip(images, targets, strict=True)
    ]
    if maps:
        return np.stack(maps)
    height, width = images.shape[1:3]
    shape = (0, len(positions(height, patch, stride)), len(positions(width, patch, stride)))
    return np.empty(shape, np.float32)
