"""Occlusion sensitivity: what a network answers while a patch hides a part of the image.

After Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, fx, nn

from stages.common.inference import BATCH_SIZE, Model, as_model, device_of, logits, to_input
from stages.common.networks import eval_mode
from stages.occlusion import parallel
from stages.occlusion.incremental import CleanImage, Part
from stages.occlusion.measures import MEASURES, target_maps

GRAY = 128.0
METHODS = ("auto", "incremental", "batched")
Fill = float | Sequence[float] | np.ndarray  # what stands where the patch lies
# of the multiply-accumulates, above which cutting and pasting costs more than it saves
LARGEST_WORK = 0.6


def positions(size: int, patch: int, stride: int) -> range:
    """Return the top or left edges of a patch that slides over `size` pixels."""
    return range(0, size - patch + 1, stride)


def take_apart(model: Model | nn.Module) -> fx.Graph | None:
    """Trace a network once, for the images that follow.

    No other thread may use any network meanwhile: tracing changes how all of them are called.

    Returns
    -------
    fx.Graph or None
        None where the network's course depends on its input, so that it cannot be taken apart.
    """
    network = as_model(model).network
    try:
        with eval_mode(network):
            return fx.Tracer().trace(network)
    except fx.proxy.TraceError:
        return None


def clean_image(
    model: Model | nn.Module, image: np.ndarray, graph: fx.Graph | None = None
) -> CleanImage | None:
    """Put an image through a network once, for the patches of all sizes that follow.

    Parameters
    ----------
    image : uint8 (height, width, 3)
    graph : fx.Graph, optional
        What `take_apart` gives for the network, where it is at hand already.

    Returns
    -------
    CleanImage or None
        None where the network cannot be taken apart.
    """
    model = as_model(model)
    graph = graph or take_apart(model)
    if graph is None:
        return None
    with eval_mode(model.network), torch.inference_mode():
        return CleanImage(model.network, graph, _input(model, image[None]))


def _input(model: Model, images: np.ndarray) -> Tensor:
    return to_input(images, model.mean, model.std, device_of(model))


def occluded_logits(
    model: Model | nn.Module,
    image: np.ndarray,
    patch: int = 16,
    stride: int = 4,
    fill: Fill = GRAY,
    method: str = "auto",
    clean: CleanImage | None = None,
    batch_size: int = BATCH_SIZE,
) -> np.ndarray:
    """Return what a network answers to one image with the patch at each position.

    Parameters
    ----------
    model : Model or nn.Module
        What `inference.load` returns; a plain module gets images that are only scaled to 0..1.
    image : uint8 (height, width, 3)
    patch : int
        Side of the square patch, in pixels.
    stride : int
        Pixels from one position to the next.
    fill : number, three numbers, or uint8 (height, width, 3)
        Grey value or colour of the patch, 0..255, or an image whose pixels stand where it lies.
    method : "auto", "incremental" or "batched"
        Compute only what the patch changes, or put every occluded image through the whole network.
        The results agree up to rounding. "auto" takes the one that has less to do.
    clean : CleanImage, optional
        What `clean_image` gives for the image, where it is at hand already.
    batch_size : int
        Occluded images at a time if batched; the result does not depend on it.

    Returns
    -------
    float32 (rows, columns, classes)
        Logits; the patch's top left corner lies at (row * stride, column * stride).

    Raises
    ------
    ValueError
        The patch does not fit into the image, the stride is below 1, the fill is neither a colour
        nor an image of this size, the method is unknown, or "incremental" and the network cannot be
        taken apart.
    """
    model = as_model(model)
    height, width = image.shape[:2]
    _check(height, width, patch, stride, method)
    filled = fill_image(fill, height, width)
    rows, columns = positions(height, patch, stride), positions(width, patch, stride)
    parts = None
    if method != "batched":
        clean = clean or clean_image(model, image)
        if clean is None and method == "incremental":
            raise ValueError("method is 'incremental': this network cannot be taken apart")
        parts = clean and clean.parts(rows, columns, patch)
    if parts and (method == "incremental" or clean.work(parts) <= LARGEST_WORK):
        return _incremental(model, clean, parts, filled, (len(rows), len(columns)))
    top, left = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    answers = _batched(model, image, top, left, patch, filled, batch_size)
    return answers.reshape(len(rows), len(columns), -1)


def _check(height: int, width: int, patch: int, stride: int, method: str) -> None:
    """Check the arguments of `occluded_logits`."""
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: {', '.join(METHODS)} are known")
    if not 1 <= patch <= min(height, width):
        raise ValueError(f"patch is {patch}: 1 to {min(height, width)} pixels are allowed")
    if stride < 1:
        raise ValueError(f"stride is {stride}: 1 pixel or more is needed")


def fill_image(fill: Fill, height: int, width: int) -> np.ndarray:
    """Return what stands where the patch lies, uint8 (height, width, 3); a colour is rounded.

    Raises
    ------
    ValueError
        The fill is neither a colour nor an image of this size.
    """
    shape = (height, width, 3)
    if np.ndim(fill) == 3:
        if (fill.shape, fill.dtype) != (shape, np.uint8):
            raise ValueError(f"fill is {fill.dtype} {fill.shape}: uint8 {shape} is needed")
        return fill
    color = np.broadcast_to(np.asarray(fill, np.float64), (3,))
    if not np.all((color >= 0) & (color <= 255)):
        raise ValueError(f"fill is {fill}: one or three numbers from 0 to 255 are needed")
    return np.full(shape, np.round(color), np.uint8)


def _incremental(
    model: Model, clean: CleanImage, parts: list[Part], filled: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Compute only what the patch changes: float32 (rows, columns, classes)."""
    with eval_mode(model.network), torch.inference_mode():
        fill = _input(model, filled[None])[0].permute(1, 2, 0)

        def answer(part: Part) -> np.ndarray:
            with torch.inference_mode():  # of each thread for itself
                return clean.logits(part, fill).cpu().numpy()

        found = list(parallel.each(answer, parts, fill.device))
    answers = np.empty((*shape, found[0].shape[-1]), np.float32)
    for part, logits_of_part in zip(parts, found, strict=True):
        answers[part.rows, part.columns] = logits_of_part
    return answers


def _batched(
    model: Model,
    image: np.ndarray,
    top: np.ndarray,
    left: np.ndarray,
    patch: int,
    filled: np.ndarray,
    batch_size: int,
) -> np.ndarray:
    """Put every occluded image through the whole network: float32 (n, classes)."""
    answers = []
    for start in range(0, len(top), batch_size):
        members = range(start, min(start + batch_size, len(top)))
        occluded = np.repeat(image[None], len(members), axis=0)
        for copy, i in zip(occluded, members, strict=True):
            hidden = np.s_[top[i] : top[i] + patch, left[i] : left[i] + patch]
            copy[hidden] = filled[hidden]
        answers.append(logits(model, occluded, batch_size=batch_size).numpy())
    return np.concatenate(answers)


def occlusion_maps(
    model: Model | nn.Module,
    images: np.ndarray,
    targets: np.ndarray | torch.Tensor,
    patch: int = 16,
    stride: int = 4,
    fill: Fill = GRAY,
    method: str = "auto",
    measure: str = "score",
) -> np.ndarray:
    """Return heatmaps: the score of a class while the patch hides each part of the image.

    Parameters
    ----------
    model : Model or nn.Module
        What `inference.load` returns; a plain module gets images that are only scaled to 0..1.
    images : uint8 (n, height, width, 3)
    targets : integers (n,)
        The class whose score is mapped.
    patch, stride, fill, method
        As for `occluded_logits`.
    measure : "score" or "log_odds"
        Softmax score, or log-odds in nats, which tell places apart also where the score stays 1.

    Returns
    -------
    float32 (n, rows, columns)
        The measure with the patch's top left corner at (row * stride, column * stride);
        rows = (height - patch) // stride + 1.

    Raises
    ------
    ValueError
        An argument is out of range, or there is not one target an image.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure is {measure!r}: {', '.join(MEASURES)} are known")
    if len(images) != len(targets):
        raise ValueError(f"{len(images)} images need as many targets, not {len(targets)}")
    if not len(images):
        height, width = images.shape[1:3]
        shape = (0, len(positions(height, patch, stride)), len(positions(width, patch, stride)))
        return np.empty(shape, np.float32)
    answers = [
        occluded_logits(model, np.asarray(image), patch, stride, fill, method) for image in images
    ]
    targets = np.asarray(targets, np.int64)
    return target_maps(np.stack(answers), targets, measure).astype(np.float32)
