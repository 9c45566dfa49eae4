"""One epoch of training: our loop against the one that a student writes."""

import copy
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import PIPE

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms

from stages.common import dataset, networks
from stages.common.base import params
from stages.common.base.errors import InputError
from stages.common.dataset import Dataset
from stages.common.inference import Model, to_input
from stages.common.study import NETWORKS, SIDE, SPLITS
from stages.train import loop
from stages.train.params import Train
from tools.benchmarks.measure import agree, deterministic, race, seconds
from tools.benchmarks.table import Row

# one epoch as both can do it: with the optimiser's plain settings, flips and crops
SETTINGS = {"epochs": 1, "schedule": "constant", "weight_decay": 0.0, "label_smoothing": 0.0}
SETTINGS |= {"rotate": 0.0, "color": 0.0, "erase": 0, "zoom": 0.0, "cutmix": 0.0}
SETTINGS |= {"sizes": [96]}
# results are compared without draws
PLAIN = {"flip": 0.0, "crop": 0}
CASES = [(name, "float32") for name in NETWORKS]
CASES += [(name, "bfloat16") for name in ("q1", "q2", "better")]
# of a loss, relative; bfloat16 has eight binary digits
TOLERANCES = {"float32": 1e-3, "bfloat16": 2e-2}
# The losses are compared after a short epoch at a low rate. Training amplifies rounding: at the
# full rate, with batch normalisation, five steps by one thread and by two differ by some percent.
COMPARED = 160  # images a split
GENTLE = 0.01  # of the learning rate
MATRIX = 2048  # rows and columns of the matrices that show what the machine can give
REPEATS = 10


def rows(pairs: int, photos: Path | None = None) -> Iterator[Row | str]:
    """Compare an epoch of training, with its evaluation of all three splits.

    Parameters
    ----------
    photos : path, optional
        Folder of images, a subfolder a class; by default the data set is drawn.

    Yields
    ------
    Row or str
        A row for each network of the study, and a line on what was measured.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        prepare(Path(folder), photos)
        data = load(Path(folder))
        for name, precision in CASES:
            settings = params.read(Train, "train", NETWORKS[name].stage)
            settings = settings.model_copy(update=SETTINGS | {"precision": precision})
            yield compare(name, data, settings, pairs)
    counts = ", ".join(f"{len(data.splits[split])} {split}" for split in SPLITS)
    source = photos.name if photos else "sample"
    yield f"training: {source}, {counts} images; losses compared without augmentation"


def prepare(folder: Path, photos: Path | None) -> None:
    """Call the first two stages in a folder."""
    groups = params.parse()
    path = str(photos.resolve()) if photos else None
    groups["download"] |= {"source": "folder" if photos else "sample", "path": path}
    groups["download"] |= {"per_class": None}
    (folder / "params.yaml").write_text(json.dumps(groups), encoding="utf-8")  # JSON is YAML
    for stage in ("download", "split"):
        command = [sys.executable, "-m", f"stages.{stage}"]
        environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(command, cwd=folder, env=environment, stderr=PIPE, text=True)
        if done.returncode:
            raise InputError(done.stderr.strip().splitlines()[-1].removeprefix("error: "))


def load(folder: Path) -> Dataset:
    return dataset.load(folder / dataset.RAW, folder / dataset.SPLIT_FOLDER)


def compare(name: str, data: Dataset, settings: Train, pairs: int) -> Row:
    """Compare the two loops on one network of the study."""
    held = in_memory(data)
    # as many of each split: then our loop measures all training images too
    few = {split: loop.evenly(members, COMPARED) for split, members in data.splits.items()}
    gentle = settings.model_copy(update=PLAIN | {"lr": settings.lr * GENTLE})
    short = ours(replace(data, splits=few), gentle), student(replace(held, splits=few), gentle)
    equality = same_losses(*short, TOLERANCES[settings.precision])

    model = build(data, settings)
    networks.move(model.network, "cpu")
    rates = [best_rate(model.network, settings)]
    times = race(lambda: ours(data, settings), lambda: student(held, settings), pairs)
    rates.append(best_rate(model.network, settings))
    case = f"{name}, {settings.precision}" + ", augmented" * bool(settings.flip or settings.crop)
    row = Row(case, "stages.train.loop", "Dataset, ToTensor, DataLoader, float32", times, equality)
    with deterministic():
        evaluation = median(
            seconds(lambda: loop.measure(model, data, settings)) for _ in range(pairs)
        )
    images = len(data.splits["train"])
    epoch, others_epoch = row.medians
    # forwards, and backwards to the weights and to the maps
    work = 3 * networks.multiply_accumulates(model.network) * images
    rate = work / (epoch - evaluation)
    limit = max(rate, *rates)  # what the machine has been seen to do
    note = (
        f"{images / epoch:.0f} against {images / others_epoch:.0f} images/s; "
        f"evaluation {evaluation / epoch:.0%} of our epoch; "
        f"{rate / limit:.0%} of the best rate in any layer, a product of matrices or all of it, "
        f"{limit / 1e9:.0f} GMAC/s"
    )
    return replace(row, note=note)


def same_losses(ours: dict[str, float], other: dict[str, float], tolerance: float) -> str:
    """Check that the losses after an epoch agree; Different if not."""
    columns = ("train_loss", "val_loss")
    losses = [[row[column] for column in columns] for row in (ours, other)]
    return agree(*losses, "losses of a short epoch", tolerance, relative=True)


def in_memory(data: Dataset) -> Dataset:
    return replace(data, images=np.array(data.images))


def build(data: Dataset, settings: Train) -> Model:
    """Make the network, with the same weights for both."""
    network = networks.ARCHITECTURES[settings.architecture](len(data.classes))
    networks.initialise(network, torch.Generator().manual_seed(settings.seed))
    mean, std = (0.5,) * 3, (0.5,) * 3
    if settings.normalize == "channels":
        mean, std = tuple(data.mean), tuple(data.std)
    return Model(network, data.classes, mean, std)


def ours(data: Dataset, settings: Train) -> dict[str, float]:
    """Train for an epoch as the stage does."""
    model = build(data, settings)
    networks.move(model.network, "cpu")
    optimizer = loop.build_optimizer(model.network, settings)
    with deterministic():
        (row,) = loop.train(model, data, settings, optimizer)
    return row


class Images(torch.utils.data.Dataset):
    """The images of an array, one at a time."""

    def __init__(self, data: Dataset, transform: Callable):
        self.images, self.labels, self.transform = data.images, data.labels, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int):
        return self.transform(self.images[index]), self.labels[index]


def student(data: Dataset, settings: Train) -> dict[str, float]:
    """Train for an epoch as tutorials do, with the images in our order."""
    model = build(data, settings)
    network = model.network
    scale, normalise = transforms.ToTensor(), transforms.Normalize(model.mean, model.std)
    augmented = images = Images(data, transforms.Compose([scale, normalise]))
    if settings.flip or settings.crop:
        flip = transforms.RandomHorizontalFlip(settings.flip)
        crop = transforms.RandomCrop(96, padding=settings.crop, padding_mode="reflect")
        augmented = Images(data, transforms.Compose([scale, flip, crop, normalise]))
    if settings.optimizer == "sgd":
        nesterov = settings.momentum > 0
        optimizer = torch.optim.SGD(
            network.parameters(), settings.lr, settings.momentum, nesterov=nesterov
        )
    else:
        betas = (settings.momentum, 0.999)
        optimizer = torch.optim.AdamW(
            network.parameters(), settings.lr, betas, weight_decay=settings.weight_decay
        )

    def batches(images: Images, indices) -> DataLoader:
        return DataLoader(images, settings.batch_size, sampler=indices.tolist())

    network.train()
    order = loop.shuffle(data.splits["train"], settings.seed, epoch=1)
    for x, labels in batches(augmented, order):
        optimizer.zero_grad()
        loss = cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()

    row = {}
    network.eval()
    with torch.no_grad():
        for split, members in data.splits.items():
            loss, right = evaluate(network, batches(images, members))
            row[f"{split}_loss"] = loss / len(members)
            row[f"{split}_accuracy"] = right / len(members)
    return row


def evaluate(network: nn.Module, batches: DataLoader) -> tuple[float, int]:
    """Return the sum of the losses, and how many images are recognised."""
    total, right = 0.0, 0
    for x, labels in batches:
        outputs = network(x)
        total += cross_entropy(outputs, labels, reduction="sum").item()
        right += (outputs.argmax(dim=1) == labels).sum().item()
    return total, right


def best_rate(network: nn.Module, settings: Train) -> float:
    """Measure the most multiply-accumulates a second that the machine gives.

    The best of several products of two large matrices, and of several passes through each
    convolution and linear layer of the network with a batch, in the precision of the training.
    """
    kind = getattr(torch, settings.precision)
    network = copy.deepcopy(network).to(kind)
    calls = [(MATRIX**3, partial(torch.matmul, *torch.rand(2, MATRIX, MATRIX).to(kind)))]

    def note(layer: nn.Module, inputs: tuple[Tensor], outputs: Tensor) -> None:
        calls.append((outputs.numel() * layer.weight[0].numel(), partial(layer, *inputs)))

    layers = [part for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    batch = np.zeros((settings.batch_size, SIDE, SIDE, 3), np.uint8)
    with networks.eval_mode(network), torch.no_grad():
        network(to_input(batch).to(kind))
        for hook in hooks:
            hook.remove()
        return max(work / min(seconds(call) for _ in range(REPEATS)) for work, call in calls)
