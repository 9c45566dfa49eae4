"""The incremental method against the batched one: the same answers, whatever the network."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from stages.common.inference import to_input
from stages.common.networks import BetterCNN, DeepCNN, ShallowCNN, initialise, move
from stages.occlusion.fills import filled
from stages.occlusion.measures import MEASURES
from stages.occlusion.sensitivity import clean_image, occluded_logits, occlusion_maps

IMAGE = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)


def both(network, image, patch, stride, fill):
    move(network, "cpu")
    methods = ("incremental", "batched")
    return [occluded_logits(network, image, patch, stride, fill, method) for method in methods]


def undecided(network, image=IMAGE, seed=0):
    """Return a network weights with which no class is certain, so that differences show."""
    generator = torch.Generator().manual_seed(seed)
    initialise(network, generator)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                nn.init.uniform_(tensor, 0.1, 0.5, generator=generator)
            nn.init.uniform_(layer.running_var, 0.5, 2.0, generator=generator)
    with torch.no_grad():
        logits = network.eval()(to_input(image[None]))
        last = getattr(network, "fc2", network.fc1)
        last.weight *= 2 / logits.std().clamp(min=1e-3)
    return network


@pytest.mark.parametrize("architecture", [ShallowCNN, DeepCNN, BetterCNN])
@pytest.mark.parametrize(
    "patch, stride, fill",
    [(8, 4, 128), (8, 8, 0), (16, 5, 255), (1, 19, [10, 200, 90]), (3, 7, 128), (32, 8, 100),
     (95, 1, 7), (96, 1, 128), (50, 46, 0)],
)  # fmt: skip
def test_the_networks_of_the_study(architecture, patch, stride, fill):
    incremental, batched = both(undecided(architecture()), IMAGE, patch, stride, fill)
    assert incremental.shape == batched.shape and incremental.dtype == np.float32
    np.testing.assert_allclose(incremental, batched, atol=1e-5)
    # not the same everywhere
    assert patch < 8 or patch > 90 or np.ptp(batched, axis=(0, 1)).max() > 1e-3


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("fill", ["mean", "gray", "black", "blur", "noise", [255, 0, 10]], ids=str)
def test_every_measure_with_every_fill(measure, fill):
    network, image = undecided(ShallowCNN()), IMAGE[::-1]
    stand_in = filled(fill, image, (100, 120.4, 90))
    incremental, batched = (
        occlusion_maps(network, image[None], [3], 16, 8, stand_in, method, measure)
        for method in ("incremental", "batched")
    )
    assert np.ptp(batched) > 1e-4
    np.testing.assert_allclose(incremental, batched, atol=1e-5)


class Random(nn.Module):
    """A network of layers drawn at random: what the method takes apart, and what it must not."""

    def __init__(self, draw):
        super().__init__()
        self.layers = nn.ModuleList()
        self.kinds = []
        channels = 3
        for _ in range(draw(st.integers(1, 5))):
            kind = draw(
                st.sampled_from(
                    ["conv", "pool", "norm", "relu", "in place", "residual", "mean", "same"]
                )
            )
            self.kinds.append(kind)
            if kind == "conv":
                size, groups = draw(st.integers(1, 5)), 1
                given, channels = channels, draw(st.sampled_from([4, 6]))
                if given == channels:
                    groups = draw(st.sampled_from([1, 2]))
                layer = nn.Conv2d(
                    given, channels, (size, draw(st.integers(1, 5))),
                    (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
                    (draw(st.integers(0, size)), draw(st.integers(0, 2))),
                    (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
                    groups, draw(st.booleans()), draw(st.sampled_from(["zeros", "reflect"])),
                )  # fmt: skip
                if layer.padding_mode == "reflect":
                    layer.padding = (0, 0)
                    layer._reversed_padding_repeated_twice = [0, 0, 0, 0]
            elif kind == "pool":
                size = draw(st.integers(1, 3))
                layer = nn.MaxPool2d(
                    size, draw(st.integers(1, 3)), draw(st.integers(0, size // 2)),
                    draw(st.integers(1, 2)), ceil_mode=draw(st.booleans()),
                )  # fmt: skip
            elif kind == "norm":
                layer = nn.BatchNorm2d(channels)
            elif kind == "residual":
                layer = nn.Conv2d(channels, channels, 3, padding=1)
            elif kind == "in place":
                layer = nn.ReLU(inplace=True)
            elif kind == "same":
                layer = nn.Conv2d(channels, channels, 3, padding="same")
            else:
                layer = nn.Identity()
            self.layers.append(layer)
        self.fc1 = nn.Linear(channels, 3)
        self.maximum = draw(st.booleans())

    def forward(self, x):
        for kind, layer in zip(self.kinds, self.layers, strict=True):
            if kind == "relu":
                x = functional.relu(x)
            elif kind == "residual":
                branch = functional.relu(layer(x))
                branch += x
                x = branch
            elif kind == "mean":
                x = x * (1 + x.mean(dim=(2, 3), keepdim=True))  # each pixel depends on all
            else:
                x = layer(x)
        return self.fc1(x.amax(dim=(2, 3)) if self.maximum else x.mean(dim=(2, 3)))


@settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_random_networks_patches_and_images(data):
    network = Random(data.draw)
    height, width = data.draw(st.integers(9, 24)), data.draw(st.integers(9, 24))
    patch, stride = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 6))
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    image, other = generator.integers(0, 256, (2, height, width, 3), np.uint8)
    fill = data.draw(st.sampled_from([0, 128, 255, [0, 100, 200], other]))
    try:
        undecided(network, image, seed=data.draw(st.integers(0, 99)))
    except RuntimeError:
        return  # the maps have shrunk to nothing
    incremental, batched = both(network, image, patch, stride, fill)
    np.testing.assert_allclose(incremental, batched, atol=1e-5)


def test_padding_never_wins_a_maximum():
    convolution = nn.Conv2d(3, 4, 3)
    nn.init.constant_(convolution.bias, -9.0)  # the map that is pooled is below zero
    network = nn.Sequential(
        convolution, nn.MaxPool2d(3, 2, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    incremental, batched = both(network, IMAGE, 16, 16, 128)
    assert np.ptp(batched, axis=(0, 1)).max() > 2e-4
    np.testing.assert_allclose(incremental, batched, atol=1e-5)


class InPlace(nn.Module):
    """Its ReLUs and its addition overwrite what they are given."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.fc1 = nn.Linear(8, 3)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        branch = self.conv2(x)
        branch += x
        return self.fc1(self.relu(branch).amax(dim=(2, 3)))


def test_layers_that_work_in_place_change_no_clean_map():
    incremental, batched = both(undecided(InPlace()), IMAGE, 8, 4, 128)
    assert np.ptp(batched, axis=(0, 1)).max() > 1e-3
    np.testing.assert_allclose(incremental, batched, atol=1e-5)


class Fickle(nn.Module):
    """Its course depends on its input."""

    def forward(self, x):
        return x.mean(dim=(2, 3)) if x.sum() > 0 else x.amax(dim=(2, 3))


def test_a_network_that_cannot_be_taken_apart_goes_as_a_whole():
    assert clean_image(Fickle(), IMAGE) is None
    expected = occluded_logits(Fickle(), IMAGE, 32, 32, method="batched")
    assert np.array_equal(occluded_logits(Fickle(), IMAGE, 32, 32), expected)
    with pytest.raises(ValueError, match="method is 'incremental'.*cannot be taken apart"):
        occlusion_maps(Fickle(), IMAGE[None], [0], 32, 32, method="incremental")


def test_one_clean_image_serves_all_patches():
    network = undecided(ShallowCNN())
    clean = clean_image(network, IMAGE)
    for patch in (8, 16, 32):
        given = occluded_logits(network, IMAGE, patch, 8, clean=clean)
        assert np.array_equal(given, occluded_logits(network, IMAGE, patch, 8))


def test_a_clean_image_is_not_changed_by_what_is_computed_of_it():
    network = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 16 * 4, 3)).eval()
    image = IMAGE[:32, :8]  # as wide as the patch: its window is a piece of the map itself
    clean = clean_image(network, image)
    expected = occluded_logits(network, image, 8, 32, 0, "batched")
    for _ in range(2):
        given = occluded_logits(network, image, 8, 32, 0, "incremental", clean)
        np.testing.assert_allclose(given, expected, atol=1e-5)


class Broadcast(nn.Module):
    """Adds to a map one of a single row."""

    def __init__(self):
        super().__init__()
        self.tall = nn.Conv2d(3, 3, (96, 1))
        self.fc1 = nn.Linear(3, 3)

    def forward(self, x):
        return self.fc1((x + self.tall(x)).amax(dim=(2, 3)))


def test_an_addition_of_maps_of_different_sizes():
    incremental, batched = both(undecided(Broadcast()), IMAGE, 8, 16, 128)
    assert np.ptp(batched, axis=(0, 1)).max() > 1e-3
    np.testing.assert_allclose(incremental, batched, atol=1e-5)


def test_the_method_picks_itself_by_the_work_that_is_left():
    network = undecided(DeepCNN())
    incremental, batched = both(network, IMAGE, 8, 16, 128)
    assert not np.array_equal(incremental, batched)  # equal but for the last bits
    assert np.array_equal(occluded_logits(network, IMAGE, 8, 16), incremental)
    incremental, batched = both(network, IMAGE, 90, 3, 128)
    assert np.array_equal(occluded_logits(network, IMAGE, 90, 3), batched)


def test_batch_normalisation_in_train_mode_is_put_back():
    network = undecided(BetterCNN()).train()
    before = network.block1.norm1.running_mean.clone()
    occluded_logits(network, IMAGE, 8, 16, method="incremental")
    assert network.training and network.block1.norm1.training
    assert torch.equal(network.block1.norm1.running_mean, before)
