"""Trained networks: saved as one file that says all it needs, loaded with checks, and applied."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import safetensors.torch
import torch
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from stages.common.base.errors import LONGEST, InputError, reason, shown
from stages.common.base.files import write_bytes
from stages.common.base.names import fault, twins
from stages.common.base.params import Group, check
from stages.common.networks import ARCHITECTURES, eval_mode, move
from stages.common.study import MOST_CLASSES

WEIGHTS = "weights.safetensors"
LONGEST_DESCRIPTION = 2**20  # characters of JSON
TYPES = {torch.float32: "F32", torch.int64: "I64"}  # as the format calls them
BATCH_SIZE = 64  # images at a time without gradients: more fall out of the processor's cache


def distinct(names: list[str]) -> list[str]:
    """Refuse a name that comes twice, and one that not every picture and table could show."""
    if alike := twins(names):
        raise ValueError(f"should be distinct names, {alike[0]!a} and {alike[1]!a} look alike")
    for name in names:
        if wrong := fault(name):
            raise ValueError(f"should be names of classes: {shown(name)} {wrong}")
    return names


Classes = Annotated[
    list[str], Field(min_length=1, max_length=MOST_CLASSES), AfterValidator(distinct)
]
# of three channels on the scale 0..1, with room for any that float32 can subtract and divide by
Mean = Annotated[list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=3, max_length=3)]
Std = Annotated[list[Annotated[float, Field(ge=1e-6, le=1e6)]], Field(min_length=3, max_length=3)]


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

    Returns
    -------
    Model
        The network in eval mode, its classes and its normalisation.

    Raises
    ------
    InputError
        The file is missing or broken, its metadata does not fit together, or its tensors do not fit
        the architecture that it names. A file that claims much costs no memory.
    """
    path = Path(folder) / WEIGHTS
    problem = f"{path} is not a weights file of this project"
    try:
        with safe_open(path, framework="pt") as file:
            description = _describe(file.metadata() or {}, problem)
            # without memory: what the file only claims costs nothing
            with torch.device("meta"):
                network = ARCHITECTURES[description.architecture](len(description.classes))
            tensors = _read_tensors(path, file, network.state_dict())
    except FileNotFoundError:
        raise InputError(f"{path} is not there: run `dvc repro` to train the network") from None
    except SafetensorError as error:
        raise InputError(f"{problem}: {reason(error)}") from None
    network.load_state_dict(tensors, assign=True)
    move(network, device)
    network.eval()
    mean, std = description.mean, description.std
    return Model(
        network,
        description.classes,
        None if mean is None else tuple(mean),
        None if std is None else tuple(std),
        description.epoch,
    )


class _Description(Group):
    """What the metadata of a weights file says."""

    model_config = ConfigDict(extra="ignore")
    architecture: Literal[tuple(ARCHITECTURES)]
    classes: Classes
    mean: Mean | None
    std: Std | None
    epoch: Annotated[int, Field(ge=0)] | None

    @model_validator(mode="after")
    def normalisation_is_whole(self):
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std should both be there or both be null")
        return self


def _describe(metadata: dict[str, str], problem: str) -> _Description:
    text = metadata.get("model", "")
    if not 0 < len(text) <= LONGEST_DESCRIPTION:
        raise InputError(
            f"{problem}: its metadata has {len(text)} characters under `model`: "
            f"1 to {LONGEST_DESCRIPTION} are allowed"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{problem}: its metadata is not valid JSON ({reason(error)})") from None
    return check(_Description, values, problem)


def _read_tensors(path: Path, file, needed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read exactly the tensors needed, each once its size is known to be the one needed."""
    names = set(file.keys())
    tensors = {}
    for name, like in needed.items():
        if name not in names:
            raise InputError(f"{path}: the tensor {name} is missing")
        claimed = file.get_slice(name)
        if (shape := tuple(claimed.get_shape())) != tuple(like.shape):
            shapes = f"{shown(shape)}, {tuple(like.shape)} is needed"
            raise InputError(f"{path}: the tensor {name} has the shape {shapes}")
        if (kind := claimed.get_dtype()) != TYPES[like.dtype]:
            raise InputError(
                f"{path}: the tensor {name} is of the type {kind}, {TYPES[like.dtype]} is needed"
            )
        tensors[name] = file.get_tensor(name).clone()  # out of the file, which may be replaced
        if not tensors[name].isfinite().all():
            raise InputError(f"{path}: the tensor {name} holds NaN or infinity")
        if name.endswith("running_var") and (tensors[name] < 0).any():
            raise InputError(f"{path}: the tensor {name} holds a negative variance")
    if unknown := sorted(names - needed.keys()):
        name = unknown[0][:LONGEST]
        raise InputError(f"{path}: the tensor {name} does not belong to the architecture")
    return tensors


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


def as_model(model: Model | nn.Module) -> Model:
    """Take a plain module for a model whose images are only scaled to 0..1."""
    return Model(model, classes=[]) if isinstance(model, nn.Module) else model


def device_of(model: Model) -> torch.device:
    """Return where a network's numbers are."""
    return next((tensor.device for tensor in model.network.parameters()), torch.device("cpu"))


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
    if isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images)  # a mirrored view is none for torch
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
    model = as_model(model)
    network = model.network
    device = device_of(model)
    indices = np.arange(len(images)) if indices is None else indices
    outputs = None
    with eval_mode(network), torch.inference_mode():
        for start in range(0, len(indices) or 1, batch_size):
            batch = images[indices[start : start + batch_size]]
            some = network(to_input(batch, model.mean, model.std, device))
            # into one tensor: many small ones that are kept would scatter over the memory, and what
            # lies between them could not be given back
            if outputs is None:
                outputs = some.new_empty(len(indices), some.shape[1], device="cpu")
            outputs[start : start + batch_size] = some
    return outputs


def predict(
    model: Model | nn.Module, images: np.ndarray, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Return the softmax scores of images: float32 (n, classes).

    A plain module gets images, uint8 (n, 96, 96, 3), that are only scaled to 0..1.
    """
    return logits(model, images, batch_size=batch_size).softmax(dim=1).numpy()
