"""Trained networks: saved as one file that says all it needs, loaded with checks, and applied."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from stages.common.cli import InputError
from stages.common.files import write_bytes
from stages.common.networks import ARCHITECTURES, eval_mode, move

WEIGHTS = "weights.safetensors"
BATCH_SIZE = 64  # images at a time without gradients: more fall out of the processor's cache


@dataclass(frozen=True)
class Model:
    """A network in eval mode with what belongs to it.

    Attributes
    ----------
    network : nn.Module
    classes : list of str
        Name of each of the network's outputs.
    mean, std : tuple of three floats, or None
        Channel normalisation on the scale 0..1; None where the images are only scaled to 0..1.
    epoch : int, or None
        The epoch of training that was kept.
    """

    network: nn.Module
    classes: list[str]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    epoch: int | None = None


def save(folder: str | Path, model: Model) -> None:
    """Write `weights.safetensors`, with architecture, classes and normalisation in its metadata."""
    description = {
        "architecture": type(model.network).__name__,
        "classes": model.classes,
        "mean": model.mean,
        "std": model.std,
        "epoch": model.epoch,
    }
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.network.state_dict().items()
    }
    # one entry: the format writes several in an order that changes from run to run
    metadata = {"model": json.dumps(description, sort_keys=True)}
    write_bytes(Path(folder) / WEIGHTS, safetensors.torch.save(tensors, metadata))


def load(folder: str | Path, device: torch.device | str = "cpu") -> Model:
    """Load a trained network.

    Parameters
    ----------
    folder : path
        Folder with `weights.safetensors`, such as `models/q1`.
    device : torch device

    Returns
    -------
    Model
        The network in eval mode, its classes and its normalisation.

    Raises
    ------
    InputError
        The file is missing, broken, or its tensors do not fit the architecture that it names.
    """
    path = Path(folder) / WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        description = json.loads(metadata["model"])
        architecture = ARCHITECTURES[description["architecture"]]
        classes, mean, std, epoch = (description[k] for k in ("classes", "mean", "std", "epoch"))
    except FileNotFoundError:
        raise InputError(f"{path} is not there: run `dvc repro` to train the network") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a weights file of this project: {error}") from None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"{path}: its classes are {classes!r}: a list of names is needed")
    network = architecture(len(classes))
    _check_tensors(path, tensors, network.state_dict())
    network.load_state_dict(tensors)
    move(network, device)
    network.eval()
    return Model(network, classes, mean and tuple(mean), std and tuple(std), epoch)


def _check_tensors(path: Path, given: dict[str, Tensor], needed: dict[str, Tensor]) -> None:
    for name, tensor in needed.items():
        if name not in given:
            raise InputError(f"{path}: the tensor {name} is missing")
        if given[name].shape != tensor.shape:
            shapes = f"{tuple(given[name].shape)}, {tuple(tensor.shape)} is needed"
            raise InputError(f"{path}: the tensor {name} has the shape {shapes}")
        if given[name].is_floating_point() and not given[name].isfinite().all():
            raise InputError(f"{path}: the tensor {name} holds NaN or infinity")
    if unknown := sorted(given.keys() - needed.keys()):
        raise InputError(f"{path}: the tensor {unknown[0]} does not belong to the architecture")


def check_classes(model: Model, classes: list[str], folder: str | Path) -> None:
    """Refuse a model that was trained on another set of classes.

    Raises
    ------
    InputError
        Names both sets.
    """
    if model.classes != classes:
        raise InputError(
            f"{folder} was trained on the classes {', '.join(model.classes)}, "
            f"the data set has {', '.join(classes)}: run `dvc repro` to train it anew"
        )


def to_input(
    images: np.ndarray | Tensor,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Turn images as they are stored into what a network takes.

    Parameters
    ----------
    images : uint8 (n, height, width, 3)
    mean, std : three floats each, or None
        Channel normalisation, applied after scaling to 0..1.

    Returns
    -------
    float32 (n, 3, height, width)
        In channels-last memory order, in which convolutions are fastest (but on MPS).

    Raises
    ------
    ValueError
        The images are not uint8 (n, height, width, 3).
    """
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            "images must be uint8 (n, height, width, 3), not "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )
    # bytes are moved to the device, not floats: a quarter of the traffic
    x = images.to(device).permute(0, 3, 1, 2).float().div_(255)
    if x.device.type == "mps":
        x = x.contiguous()
    if mean is not None and std is not None:
        shape = (1, 3, 1, 1)
        x.sub_(x.new_tensor(mean).view(shape)).div_(x.new_tensor(std).view(shape))
    return x


def logits(
    model: Model | nn.Module,
    images: np.ndarray,
    indices: np.ndarray | None = None,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """Apply a network to images, a batch at a time, in eval mode and without gradients.

    Parameters
    ----------
    model : Model or nn.Module
        A plain module gets images that are only scaled to 0..1.
    images : uint8 (n, 96, 96, 3)
    indices : integers (m,), optional
        Which images, in which order; all by default.

    Returns
    -------
    float32 (m, classes), on the CPU
    """
    if isinstance(model, nn.Module):
        model = Model(model, classes=[])
    network = model.network
    device = next((tensor.device for tensor in network.parameters()), "cpu")
    indices = np.arange(len(images)) if indices is None else indices
    with eval_mode(network), torch.inference_mode():
        outputs = [
            network(to_input(images[batch], model.mean, model.std, device))
            for batch in np.array_split(indices, range(batch_size, len(indices), batch_size))
        ]
    return torch.cat(outputs).cpu()


def predict(
    model: Model | nn.Module, images: np.ndarray, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Return the softmax scores of images.

    Parameters
    ----------
    model : Model or nn.Module
        A plain module gets images that are only scaled to 0..1.
    images : uint8 (n, 96, 96, 3)

    Returns
    -------
    float32 (n, classes)
    """
    return logits(model, images, batch_size=batch_size).softmax(dim=1).numpy()
