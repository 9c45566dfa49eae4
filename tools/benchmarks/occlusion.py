"""Occlusion of one image: only what the patch changes, against every image whole and Captum."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from statistics import median
from unittest import mock

import numpy as np
import torch
from captum.attr import Occlusion
from scipy import special
from torch import Tensor
from torch.nn import functional

from stages.common import networks
from stages.common.inference import Model, predict, to_input
from stages.common.study import STL10_CLASSES
from stages.download.sample import pictures as sample
from stages.occlusion.sensitivity import GRAY, occluded_logits
from tools.benchmarks.measure import agree, deterministic, race, seconds
from tools.benchmarks.table import Row

# architecture, patch, stride
CASES = (
    ("ShallowCNN", 8, 2),
    ("ShallowCNN", 8, 4),
    ("ShallowCNN", 16, 4),
    ("DeepCNN", 8, 4),
    ("DeepCNN", 16, 5),
    ("DeepCNN", 16, 4),
    ("BetterCNN", 8, 4),
    ("BetterCNN", 16, 4),
)
TOLERANCE = 1e-5  # of a softmax score
PERTURBATIONS = (16, 32, 64, 128, 256)  # occluded images at a time that Captum may try
RANGE = (0.5, 0.5, 0.5)  # mean and deviation that bring images to -1..1


def rows(pairs: int, cases: tuple[tuple[str, int, int], ...] = CASES) -> Iterator[Row]:
    """Compare the incremental method with the batched one and with Captum's.

    Yields
    ------
    Row
        Two a case.
    """
    image, _ = next(sample.draw(1, seed=0))
    for case in cases:
        yield from compare(image, *case, pairs)


def compare(
    image: np.ndarray, architecture: str, patch: int, stride: int, pairs: int
) -> Iterator[Row]:
    """Return the rows of one case."""
    model = undecided(architecture, image)
    clean = predict(model, image[None])[0]
    target = int(clean.argmax())
    case = f"{architecture}, patch {patch}, stride {stride}"

    def scores(method: str) -> np.ndarray:
        with deterministic():
            answers = occluded_logits(model, image, patch, stride, method=method)
        return special.softmax(answers, axis=-1)

    ours, batched = partial(scores, "incremental"), partial(scores, "batched")
    captum = partial(attributions, model, image, target, patch, stride)

    grid = ours()
    equality = agree(grid, batched(), "softmax scores", TOLERANCE)
    times = race(ours, batched, pairs)
    row = Row(case, "incremental", "batched", times, equality)
    share = median(convolutions(ours) for _ in range(pairs))
    note = f"{share:.0%} of ours are convolutions: {row.ratio / share:.1f} if they were all"
    yield replace(row, note=note)

    averaged = average(clean[target] - grid[..., target], patch, stride, len(image))
    equality = agree(averaged, captum(64), "average drops of the score", TOLERANCE)
    best = min(PERTURBATIONS, key=lambda count: seconds(partial(captum, count)))
    name = f"Captum, {best} perturbations_per_eval"
    yield Row(case, "incremental", name, race(ours, partial(captum, best), pairs), equality)


def convolutions(call: Callable[[], object]) -> float:
    """Return the share of a call's time, by one thread, that convolutions take."""
    times, convolve, threads = [], functional.conv2d, torch.get_num_threads()

    def timed(*args, **kwargs) -> Tensor:
        start = time.perf_counter()
        made = convolve(*args, **kwargs)
        times.append(time.perf_counter() - start)
        return made

    torch.set_num_threads(1)
    try:
        # what the layers of torch call too
        with mock.patch.object(functional, "conv2d", timed):
            whole = seconds(call)
    finally:
        torch.set_num_threads(threads)
    return sum(times) / whole


def undecided(architecture: str, image: np.ndarray) -> Model:
    """Return a network with random weights, of which no class is certain: differences show."""
    network = networks.ARCHITECTURES[architecture]()
    networks.initialise(network, torch.Generator().manual_seed(0))
    networks.move(network, "cpu")
    model = Model(network.eval(), list(STL10_CLASSES), RANGE, RANGE)
    last = getattr(network, "fc2", network.fc1)
    with torch.no_grad():
        last.weight /= network(to_input(image[None], RANGE, RANGE)).std()
    return model


def attributions(
    model: Model, image: np.ndarray, target: int, patch: int, stride: int, count: int
) -> np.ndarray:
    """Return Captum's attributions, float32 (height, width): all channels are hidden at once."""
    fill = np.full_like(image, GRAY)

    def score(x: Tensor) -> Tensor:
        return model.network(x).softmax(dim=1)[:, target]

    found = Occlusion(score).attribute(
        to_input(image[None], model.mean, model.std),
        sliding_window_shapes=(3, patch, patch),
        strides=(3, stride, stride),
        baselines=to_input(fill[None], model.mean, model.std),
        perturbations_per_eval=count,
    )
    return found[0, 0].numpy()


def average(drops: np.ndarray, patch: int, stride: int, size: int) -> np.ndarray:
    """Return each pixel the mean drop of the patches that hide it, as Captum does.

    Parameters
    ----------
    drops : float (rows, columns)
        How far the score falls with the patch at each position.
    patch, stride, size : int
        In pixels; the patches reach all pixels.

    Returns
    -------
    float64 (size, size)
    """
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for (row, column), drop in np.ndenumerate(drops):
        top, left = row * stride, column * stride
        hidden = np.s_[top : top + patch, left : left + patch]
        total[hidden] += drop
        count[hidden] += 1
    return total / count
