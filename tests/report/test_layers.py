"""Layers as a network really has them: shapes and counts from the study's own tables."""

import pytest
import torch
from torch import nn

from stages.common.networks import ARCHITECTURES, DeepCNN, ShallowCNN, parameter_count
from stages.report.layers import layers

IMAGE = torch.zeros(1, 3, 96, 96)


def test_the_shallow_network_has_the_sizes_of_its_table():
    rows = layers(ShallowCNN().eval(), IMAGE)
    assert [(row.name, row.shape) for row in rows] == [
        ("", (3, 96, 96)),
        ("conv1", (96, 45, 45)),
        ("conv2", (64, 21, 21)),
        ("conv3", (128, 10, 10)),
        ("maxpool", (128, 3, 3)),
        ("", (1152,)),
        ("fc1", (128,)),
        ("fc2", (10,)),
    ]
    assert rows[1].operation == "convolution 7×7, stride 2 + ReLU"
    assert rows[4].operation == "max pooling 3×3, stride 3"


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("depth", [1, None])
def test_every_parameter_is_counted_once(name, depth):
    network = ARCHITECTURES[name](7).eval()
    rows = layers(network, IMAGE, depth)
    assert sum(row.parameters for row in rows) == parameter_count(network)
    assert rows[-1].shape == (7,)


def test_an_outline_has_the_blocks_as_they_are():
    rows = layers(DeepCNN().eval(), IMAGE, depth=1)
    assert [row.kind for row in rows] == ["input", *["block"] * 4, "pooling", "linear"]
    assert [row.shape[-1] for row in rows[:5]] == [96, 48, 24, 12, 6]
    assert rows[1].operation == "ConvBlock"


def test_a_block_is_shown_by_itself():
    rows = layers(DeepCNN().eval().block2, torch.zeros(1, 32, 48, 48))
    assert [row.operation for row in rows[1:]] == [
        "convolution 3×3, stride 2, padding 1 + ReLU",
        "convolution 1×1 + ReLU",
        "convolution 3×3, padding 1 + ReLU",
    ]


def test_a_layer_that_is_not_known_keeps_its_own_name():
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Sigmoid(), nn.Flatten())
    assert [row.operation for row in layers(network, IMAGE)[1:]] == [
        "convolution 3×3",
        "Sigmoid",
        "Flatten",
    ]
