"""The training loop, the same for all networks."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from stages.common.cli import InputError, progress
from stages.common.dataset import SPLITS, Dataset
from stages.common.inference import Model, logits, to_input
from stages.common.reproducible import key
from stages.train.augmentation import augment, build
from stages.train.params import Train


def train(
    model: Model,
    dataset: Dataset,
    params: Train,
    optimizer: torch.optim.Optimizer,
    finished: int = 0,
) -> Iterator[dict[str, float]]:
    """Train a network in place, and yield a row of the history after each epoch.

    All figures of a row are measured after the epoch, in eval mode, on images without augmentation,
    so that train, validation and test can be compared.

    Parameters
    ----------
    model : Model
        Its network is trained where it is; its normalisation is applied to every image.
    dataset : Dataset
    params : Train
    optimizer : torch.optim.Optimizer
        Of the network's parameters, as `build_optimizer` makes it.
    finished : int
        Epochs that lie behind the network and the optimiser already.

    Yields
    ------
    dict
        epoch, lr, train_loss, val_loss, train_accuracy, val_accuracy, test_accuracy.

    Raises
    ------
    InputError
        The loss is no longer finite.
    """
    network = model.network
    device = next(network.parameters()).device
    transform = build(params, fill=(dataset.mean * 255).tolist())
    members = dataset.splits["train"]
    labels = torch.as_tensor(dataset.labels, device=device)
    steps = -(-len(members) // params.batch_size)  # rounded up: the last batch may be smaller

    for epoch in range(finished + 1, params.epochs + 1):
        network.train()
        batches = shuffle(members, params.seed, epoch).split(params.batch_size)
        batches = progress(batches, f"epoch {epoch} of {params.epochs}", steps, unit="step")
        for step, batch in enumerate(batches, start=(epoch - 1) * steps):
            lr = learning_rate(params, step, steps * params.epochs)
            for group in optimizer.param_groups:
                group["lr"] = lr
            images = torch.from_numpy(dataset.images[batch.numpy()])
            if transform:
                images = augment(images, transform, params.seed, epoch, batch.tolist())
            x = to_input(images, model.mean, model.std, device)
            loss = cross_entropy(
                network(x), labels[batch.to(device)], label_smoothing=params.label_smoothing
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        row = {"epoch": epoch, "lr": lr} | measure(model, dataset)
        if not np.isfinite([row["train_loss"], row["val_loss"]]).all():
            raise InputError(
                f"the loss is not finite after epoch {epoch}: a learning rate of {params.lr} "
                "is too high for this network; lower lr in params.yaml"
            )
        yield row


def build_optimizer(network: nn.Module, params: Train) -> torch.optim.Optimizer:
    """Make the optimiser; weight decay leaves out biases and the parameters of normalisation."""
    matrices = [tensor for tensor in network.parameters() if tensor.ndim > 1]
    vectors = [tensor for tensor in network.parameters() if tensor.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": params.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if params.optimizer == "sgd":
        nesterov = params.momentum > 0
        return torch.optim.SGD(groups, params.lr, params.momentum, nesterov=nesterov)
    return torch.optim.AdamW(groups, params.lr, betas=(params.momentum, 0.999))


def learning_rate(params: Train, step: int, steps: int) -> float:
    """Return the learning rate at a step, from 0 to `steps` - 1; `lr` is the highest one."""
    return params.lr * (one_cycle(step, steps) if params.schedule == "one_cycle" else 1.0)


def one_cycle(step: int, steps: int) -> float:
    """Return the share of the highest learning rate at a step, from 0 to `steps` - 1.

    It rises linearly over the first quarter and falls along a cosine to nothing at the end: one
    cycle of Smith and Topin 2018. Torch's own schedule fails where the first quarter is no step.
    """
    peak = steps / 4
    if step < peak:
        return 0.04 + 0.96 * step / peak
    return (1 + math.cos(math.pi * (step - peak) / (steps - peak))) / 2


def shuffle(indices: np.ndarray, seed: int, epoch: int) -> Tensor:
    """Put the training images into the order of this epoch: int64 (n,)."""
    generator = torch.Generator().manual_seed(key(seed, "order", epoch))
    return torch.from_numpy(indices)[torch.randperm(len(indices), generator=generator)]


def measure(model: Model, dataset: Dataset) -> dict[str, float]:
    """Measure loss and accuracy of the splits in eval mode, on images without augmentation."""
    row = {}
    for split in SPLITS:
        members = dataset.splits[split]
        labels = torch.from_numpy(dataset.labels[members])
        outputs = logits(model, dataset.images, members)
        row[f"{split}_loss"] = cross_entropy(outputs.double(), labels).item()
        row[f"{split}_accuracy"] = (outputs.argmax(dim=1) == labels).double().mean().item()
    columns = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "test_accuracy")
    return {column: row[column] for column in columns}


def is_better(row: dict[str, float], best: dict[str, float]) -> bool:
    """Say if an epoch beats the best so far: validation accuracy, then lower loss, then earlier."""
    if not best:
        return True
    return (row["val_accuracy"], -row["val_loss"]) > (best["val_accuracy"], -best["val_loss"])
