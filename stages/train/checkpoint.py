"""State of an unfinished training, from which a killed one goes on as if nothing had happened."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from stages.common.base import process
from stages.common.base.files import write_bytes

FOLDER = Path("models/.unfinished")  # no out: DVC deletes those before it runs a stage


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    history : list of dict
        A row for each finished epoch.
    best : dict
        The row of the epoch whose weights are kept.
    best_weights : dict of str to Tensor
        The state dict of that epoch.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def add(self, row: dict[str, float], network: nn.Module) -> None:
        """Add an epoch; its weights are kept if it is better than all before."""
        self.history.append(row)
        if is_better(row, self.best):
            self.best = row
            self.best_weights = {k: value.clone() for k, value in network.state_dict().items()}


def is_better(row: dict[str, float], best: dict[str, float]) -> bool:
    """Whether an epoch beats the best so far: validation accuracy, lower loss, then earlier."""
    if not best:
        return True
    return (row["val_accuracy"], -row["val_loss"]) > (best["val_accuracy"], -best["val_loss"])


class Checkpoint:
    """The file that holds the state of one network's training.

    No state of a random generator is in it: each generator is keyed by what it draws.

    Parameters
    ----------
    network : str
        Name of the network in the study, such as "q1".
    key : str
        What the training depends on, see `digest`: a state with another key is not gone on from.
    """

    def __init__(self, network: str, key: str):
        self._path = FOLDER / f"{network}.safetensors"
        self._key = key

    def save(
        self, progress: Progress, network: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """Write all that the next epoch starts from, whole or not at all."""
        tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in progress.best_weights.items()}
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        content = {"key": self._key, "history": progress.history, "best": progress.best}
        metadata = {"training": json.dumps(content)}
        write_bytes(self._path, safetensors.torch.save(tensors, metadata))

    def load(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
        """Put network and optimiser back as they were after the last finished epoch.

        Where there is nothing to go on from, they stay as they are: no state, one of other params,
        code, data or versions, a damaged one, or `dvc repro --force`.
        """
        if forced():
            return Progress()
        try:
            with safe_open(self._path, framework="pt") as file:
                content = json.loads((file.metadata() or {})["training"])
                if content["key"] != self._key:
                    return Progress()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError, KeyError, ValueError):
            return Progress()
        groups: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor
        network.load_state_dict(groups["network"])
        _load_optimizer(optimizer, groups["optimizer"])
        return Progress(content["history"], content["best"], groups["best"])

    def remove(self) -> None:
        """Delete the state of a training that has come to its end."""
        self._path.unlink(missing_ok=True)
        if FOLDER.is_dir() and not any(FOLDER.iterdir()):
            FOLDER.rmdir()


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, kind = name.partition(".")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # in the memory order of its parameter, as if it had never left
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        states.setdefault(int(index), {})[kind] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": states})


def digest(*parts: object) -> str:
    """Sum up all that a training depends on.

    A path stands for its file, or for the names and contents of the files in that folder, anything
    else for its JSON text.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    total = hashlib.sha256()
    for part in parts:
        if not isinstance(part, Path):
            total.update(json.dumps(part, sort_keys=True).encode())
            continue
        for path in [part] if part.is_file() else sorted(part.glob("[!.]*.*")):
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{path.name} {digest}\n".encode())
    return total.hexdigest()


def forced() -> bool:
    """Whether a `dvc` command with `--force` started this process.

    DVC does not tell a stage, so its command line is read.
    """
    try:
        command = [part for above in process.dvc_above()[-1:] for part in above.cmdline()]
    except psutil.Error:
        return False
    return any(re.fullmatch("--force|-[a-zA-Z]*f[a-zA-Z]*", part) for part in command)
