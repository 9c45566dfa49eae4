"""The two training loops on a handful of images."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stages.train.loop import evenly
from tests.conftest import train_params
from tools.benchmarks import training
from tools.benchmarks.measure import Different, seconds


@pytest.fixture
def data(study):
    """As many images of each split: then our loop measures all training images too."""
    data = training.load(Path())
    few = {split: evenly(members, 4) for split, members in data.splits.items()}
    return replace(data, splits=few)


def settings(**changes):
    gentle = {"batch_size": 8, "lr": 1e-5}
    return train_params(**training.SETTINGS | gentle | changes)


def epochs(data, ours, other):
    return training.ours(data, ours), training.student(training.in_memory(data), other)


@pytest.mark.parametrize(
    "architecture, normalize",
    [("ShallowCNN", "channels"), ("DeepCNN", "fixed"), ("BetterCNN", "channels")],
)
def test_both_loops_come_to_the_same(data, architecture, normalize):
    same = settings(architecture=architecture, normalize=normalize)
    rows = epochs(data, same, same)
    assert training.same_losses(*rows, 1e-3).startswith("losses of a short epoch within 0.001")
    for split in ("train", "val", "test"):
        assert rows[0][f"{split}_accuracy"] == pytest.approx(rows[1][f"{split}_accuracy"])


@pytest.mark.parametrize("change", [{"seed": 1}, {"lr": 2e-5}, {"normalize": "channels"}])
def test_loops_that_do_not_come_to_the_same_are_not_timed(data, change):
    rows = epochs(data, settings(**change), settings())
    with pytest.raises(Different, match="losses of a short epoch differ"):
        training.same_losses(*rows, 1e-3)


def test_a_row_says_what_was_measured(data):
    row = training.compare("q1", data, settings(), 1)
    assert row.case == "q1, float32" and len(row.pairs) == 1
    for part in ("images/s", "evaluation", "best rate"):
        assert part in row.note


def test_the_limit_is_no_less_than_the_rate_of_a_layer():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 96 * 96, 512))
    rate = training.best_rate(network, settings(batch_size=64))
    images = torch.zeros(64, 3, 96, 96)
    with torch.no_grad():
        of_layer = 64 * 512 * 3 * 96 * 96 / min(seconds(lambda: network(images)) for _ in range(5))
    assert 0.5 * of_layer < rate < float("inf")


def test_bfloat16_comes_close(data):
    rows = epochs(data, settings(precision="bfloat16"), settings())
    tolerance = training.TOLERANCES["bfloat16"]
    assert training.same_losses(*rows, tolerance).startswith("losses of a short epoch within")
    with pytest.raises(Different):
        training.same_losses(*rows, 1e-6)


def test_both_loops_augment(data):
    flipped = settings(flip=1.0)  # a sure flip leaves nothing to chance
    rows = epochs(data, flipped, flipped)
    assert training.same_losses(*rows, 1e-3).startswith("losses of a short epoch within 0.001")
    with pytest.raises(Different):
        training.same_losses(rows[0], training.student(training.in_memory(data), settings()), 1e-9)
