"""The training loop, the same for all networks."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from stages.common.base.errors import InputError
from stages.common.base.progress import progress
from stages.common.dataset import Dataset
from stages.common.inference import Model, logits, to_input
from stages.common.reproducible import derived_seed
from stages.common.study import SPLITS
from stages.train.augmentation import build
from stages.train.batches import augmented_batch
from stages.train.distributed import ALONE, Processes
from stages.train.params import Train


def train(
    model: Model,
    dataset: Dataset,
    params: Train,
    optimizer: torch.optim.Optimizer,
    finished_epochs: int = 0,
    processes: Processes = ALONE,
) -> Iterator[dict[str, float]]:
    """Train a network in place, and yield a row of the history after each epoch.

    All numbers of a row are measured after the epoch, in eval mode, on images without augmentation,
    so that train, validation and test can be compared: see `measure`.

    Parameters
    ----------
    model : Model
        Its network is trained where it is; its normalisation is applied to every image.
    optimizer : torch.optim.Optimizer
        Of the network's parameters, as `build_optimizer` makes it.
    finished_epochs : int
        Those that the network and the optimiser have been trained for already.
    processes : Processes
        Those that train together, from the same weights; all yield the same rows.

    Yields
    ------
    dict
        epoch, lr, train_loss, val_loss, train_accuracy, val_accuracy, test_accuracy.

    Raises
    ------
    InputError
        The loss is no longer finite.
    """
    augmentation = build(params, fill=(dataset.mean * 255).tolist())
    members = dataset.splits["train"]
    labels = torch.as_tensor(dataset.labels, device=next(model.network.parameters()).device)
    steps = -(-len(members) // params.batch_size)  # rounded up: the last batch may be smaller
    parallel = processes.parallel(model.network)
    for epoch in range(finished_epochs + 1, params.epochs + 1):
        size = params.sizes[(epoch - 1) * len(params.sizes) // params.epochs]
        model.network.train()
        batches = shuffle(members, params.seed, epoch).split(params.batch_size)
        if processes.rank == 0:
            batches = progress(batches, f"epoch {epoch} of {params.epochs}", steps, unit="step")
        for step, batch in enumerate(batches, start=(epoch - 1) * steps):
            lr = learning_rate(params, step, steps * params.epochs)
            for group in optimizer.param_groups:
                group["lr"] = lr
            share = processes.share(batch)
            seen = augmented_batch(dataset, share.tolist(), augmentation, params, epoch)
            loss = batch_loss(parallel, model, seen, labels, share, size, params)
            optimizer.zero_grad(set_to_none=True)
            # processes average their gradients
            (loss * (processes.count / len(batch))).backward()
            optimizer.step()

        row = {"epoch": epoch, "lr": lr} | measure(model, dataset, params, processes)
        if not np.isfinite([row["train_loss"], row["val_loss"]]).all():
            raise InputError(
                f"the loss is not finite after epoch {epoch}: a learning rate of {params.lr} "
                "is too high for this network; lower lr in params.yaml"
            )
        yield row


def batch_loss(
    parallel: nn.Module,
    model: Model,
    seen: tuple[np.ndarray, Tensor, Tensor],
    labels: Tensor,
    indices: Tensor,
    size: int,
    params: Train,
) -> Tensor:
    """Put a batch, as `augmented_batch` returns it, through the network, and add up its loss.

    `labels` are those of the whole data set, `indices` name the images of the batch, and `size` is
    the side in pixels to which they are brought.
    """
    images, partners, kept = seen
    device = labels.device
    x = resize(to_input(images, model.mean, model.std, device), size)
    with precision(params, device):
        outputs = parallel(x).float()
    return mixed_loss(
        outputs,
        labels[indices.to(device)],
        labels[partners.to(device)],
        kept.to(device),
        params.label_smoothing,
    )


def mixed_loss(
    outputs: Tensor, labels: Tensor, others: Tensor, kept: Tensor, label_smoothing: float
) -> Tensor:
    """Add up the cross-entropy of a batch in which an image may be of two classes: float32 ().

    `outputs` is float32 (n, classes). `labels` and `others` are the classes of each image and of
    the one that a part of it is taken from, `kept` is how much the first of the two counts.
    """
    options = {"label_smoothing": label_smoothing, "reduction": "none"}
    own, other = (cross_entropy(outputs, of, **options) for of in (labels, others))
    return (kept * own + (1 - kept) * other).sum()


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
        return torch.optim.SGD(groups, params.lr, params.momentum, nesterov=nesterov, fused=True)
    return torch.optim.AdamW(groups, params.lr, betas=(params.momentum, 0.999), fused=True)


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
    generator = torch.Generator().manual_seed(derived_seed(seed, "order", epoch))
    return torch.from_numpy(indices)[torch.randperm(len(indices), generator=generator)]


def resize(x: Tensor, size: int) -> Tensor:
    """Bring images (n, channels, height, width) to another size; where they have it, do nothing."""
    if x.shape[-1] == size:
        return x
    return interpolate(x, (size, size), mode="bilinear", antialias=True)


def precision(params: Train, device: torch.device) -> torch.autocast:
    """Compute convolutions and linear layers in the precision of the params."""
    return torch.autocast(device.type, torch.bfloat16, enabled=params.precision == "bfloat16")


def measure(
    model: Model, dataset: Dataset, params: Train, processes: Processes = ALONE
) -> dict[str, float]:
    """Measure loss and accuracy of the splits in eval mode, on images without augmentation.

    Of the training images it takes as many as there are validation images, evenly spaced and always
    the same: to measure all of them would cost a third of an epoch. Stage `evaluate` does, for the
    epoch that is kept, and in float32.

    Returns
    -------
    dict
        train_loss, val_loss, train_accuracy, val_accuracy, test_accuracy.
    """
    device = next(model.network.parameters()).device
    row = {}
    for split in SPLITS:
        members = dataset.splits[split]
        if split == "train":
            members = evenly(members, len(dataset.splits["val"]))
        labels = torch.from_numpy(dataset.labels[members])
        with precision(params, device):
            outputs = logits(model, dataset.images, processes.share(members))
        outputs = processes.joined(outputs.float().to(device), len(members)).cpu()
        row[f"{split}_loss"] = cross_entropy(outputs.double(), labels).item()
        row[f"{split}_accuracy"] = (outputs.argmax(dim=1) == labels).double().mean().item()
    columns = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "test_accuracy")
    return {column: row[column] for column in columns}


def evenly(members: np.ndarray, count: int) -> np.ndarray:
    """Pick so many of the members, or all if there are fewer, evenly spaced."""
    count = min(count, len(members))
    return members[np.arange(count) * len(members) // max(count, 1)]
