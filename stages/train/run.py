"""Train a network: build it, go on where it was stopped, keep its best epoch, write it down."""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from stages.common import dataset, inference, networks, reproducible
from stages.common.base import files, fingerprint
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.common.dataset import Dataset
from stages.common.inference import Model
from stages.common.tables.training import HISTORY
from stages.train import checkpoint, loop
from stages.train.checkpoint import Checkpoint, Progress
from stages.train.distributed import Processes
from stages.train.examples import examples
from stages.train.params import Train
from stages.train.times import Times
from stages.train.watch import watched


def train(name: str, settings: Train, device: torch.device, processes: Processes) -> None:
    """Write `models/<name>/`, in this process or with a share in each of several.

    Raises
    ------
    InputError
        The data set is missing, the loss is not finite, or the processes do not agree.
    """
    data = dataset.load()
    model = build(settings, data, device)
    optimizer = loop.build_optimizer(model.network, settings)
    shared = f", shared by {processes.count} processes" if processes.count > 1 else ""
    log(
        f"{name}: {settings.architecture}, {networks.parameter_count(model.network):,} parameters, "
        f"{len(data.splits['train']):,} training images, {settings.epochs} epochs{shared}"
    )

    unfinished = Checkpoint(name, depends_on(settings, device, processes))
    progress = unfinished.load(model.network, optimizer)
    finished_epochs = len(progress.history)
    if not processes.agree(finished_epochs):
        raise InputError(
            "the processes find different states of this training: all machines must be of one "
            "kind and share one folder of the project"
        )
    if finished_epochs:
        log(f"{name}: an earlier run was stopped: going on after its epoch {finished_epochs}")

    times = Times(name, finished_epochs)
    with watched(name, progress.history, processes.rank) as show:
        for row in loop.train(model, data, settings, optimizer, finished_epochs, processes):
            if processes.rank == 0:
                progress.add(row, model.network)
                unfinished.save(progress, model.network, optimizer)
                times.add(row["epoch"])
                show(row)
                log(describe(name, row, settings.epochs, times))
    if processes.rank == 0:
        write(name, settings, data, model, progress)
        unfinished.remove()


def build(settings: Train, data: Dataset, device: torch.device) -> Model:
    """Build the network with its initial weights, drawn by seed, and its normalisation."""
    network = networks.ARCHITECTURES[settings.architecture](len(data.classes))
    seed = reproducible.derived_seed(settings.seed, "weights")
    networks.initialise(network, torch.Generator().manual_seed(seed))
    networks.move(network, device)
    mean, std = (0.5,) * 3, (0.5,) * 3
    if settings.normalize == "channels":
        mean, std = tuple(data.mean), tuple(data.std)
    return Model(network, data.classes, mean, std)


def depends_on(settings: Train, device: torch.device, processes: Processes) -> str:
    """Sum up all that the training depends on: params, machine, code and data."""
    modules = sorted(sys.modules.items())
    return checkpoint.digest(
        settings.model_dump() | {"processes": processes.count},
        fingerprint.collect(**reproducible.settled(device)),
        *(Path(module.__file__) for name, module in modules if name.startswith("stages.")),
        *(dataset.RAW, dataset.SPLIT_FOLDER),
    )


def describe(name: str, row: dict[str, float], epochs: int, times: Times) -> str:
    """Return an epoch in a line, with how long the rest will take."""
    left = times.seconds_per_epoch * (epochs - row["epoch"])
    return (
        f"{name} epoch {row['epoch']:3d} of {epochs}: "
        f"loss {row['train_loss']:.3f} train sample, {row['val_loss']:.3f} val; "
        f"accuracy {row['train_accuracy']:.1%} train sample, {row['val_accuracy']:.1%} val, "
        f"{row['test_accuracy']:.1%} test; {times.seconds:.0f} s, about {left:.0f} s left"
    )


def write(name: str, settings: Train, data: Dataset, model: Model, progress: Progress) -> None:
    """Write the weights of the best epoch, the history, and what augmentation does."""
    model.network.load_state_dict(progress.best_weights)
    best = progress.best
    with files.new_folder(f"models/{name}") as folder:
        inference.save(folder, replace(model, epoch=best["epoch"]))
        history = pd.DataFrame(progress.history)
        history["lr"] = history["lr"].map("{:.6g}".format)  # it ends close to zero
        files.write_csv(folder / "history.csv", history, HISTORY)
        files.write_array(folder / "augmented.npy", examples(data, settings))
    log(
        f"{name}: kept epoch {best['epoch']} with {best['val_accuracy']:.1%} on validation, "
        f"in models/{name}"
    )
