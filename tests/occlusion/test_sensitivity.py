"""Occlusion maps against a loop, and against networks whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from stages.common.inference import Model
from stages.common.networks import ShallowCNN, initialise
from stages.occlusion.sensitivity import occluded_logits, occlusion_maps, positions

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)


class Small(nn.Module):
    """A little convolutional network with random weights."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, kernel_size=8, stride=8)
        self.fc = nn.Linear(4 * 12 * 12, 3)
        initialise(self, torch.Generator().manual_seed(0))

    def forward(self, x):
        return self.fc(self.conv(x).relu().flatten(start_dim=1))


class Pixel(nn.Module):
    """Answers by the red of one pixel alone."""

    def __init__(self, row, column):
        super().__init__()
        self.row, self.column = row, column

    def forward(self, x):
        red = x[:, 0, self.row, self.column]
        return torch.stack([red, -red], dim=1)


class Mean(nn.Module):
    """Its logits are the mean red, green and blue of the image."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def softmax(x):
    x = np.exp(x - np.max(x))
    return x / x.sum()


def by_loop(network, image, target, patch, stride, fill, mean=0.0, std=1.0):
    """Hide each part of an image in turn, one forward pass each."""
    rows = []
    for top in range(0, 96 - patch + 1, stride):
        row = []
        for left in range(0, 96 - patch + 1, stride):
            hidden = image.astype(np.float64)
            for y in range(top, top + patch):
                hidden[y, left : left + patch] = fill
            x = (hidden / 255 - mean) / std
            with torch.no_grad():
                output = network(torch.from_numpy(x.transpose(2, 0, 1)[None]).float())[0]
            row.append(softmax(output.double().numpy())[target])
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize(
    "patch, stride, fill",
    [(16, 16, 128.0), (30, 11, 0.0), (32, 20, [10.0, 200.0, 90.0]), (1, 40, 255.0), (96, 1, 7.0)],
)
def test_the_maps_are_those_of_a_loop(patch, stride, fill):
    network = Small()
    maps = occlusion_maps(network, IMAGES, np.array([2, 0]), patch, stride, fill, "batched")
    assert maps.dtype == np.float32
    for given, image, target in zip(maps, IMAGES, (2, 0), strict=True):
        expected = by_loop(network, image, target, patch, stride, fill)
        np.testing.assert_allclose(given, expected, atol=2e-6)


def test_the_maps_of_a_given_network_with_normalisation_are_those_of_a_loop():
    network = ShallowCNN(4)
    initialise(network, torch.Generator().manual_seed(0))
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    model = Model(network.eval(), list("abcd"), mean, std)
    given = occlusion_maps(model, IMAGES[:1], [3], patch=24, stride=36, fill=100)
    expected = by_loop(network, IMAGES[0], 3, 24, 36, 100.0, mean, std)
    np.testing.assert_allclose(given[0], expected, atol=5e-6)


CORNERS = [(0, 0), (0, 95), (95, 0), (95, 95)]


@pytest.mark.parametrize("row, column", [*CORNERS, (40, 17)])
@pytest.mark.parametrize("patch, stride", [(16, 4), (8, 8), (20, 7), (64, 1)])
def test_the_map_changes_exactly_where_the_patch_hides_the_one_pixel_that_counts(
    row, column, patch, stride
):
    images = np.full((1, 96, 96, 3), 255, np.uint8)
    given = occlusion_maps(Pixel(row, column), images, [0], patch, stride, fill=0)[0]
    tops = np.arange(0, 96 - patch + 1, stride)
    rows = (tops <= row) & (row < tops + patch)
    columns = (tops <= column) & (column < tops + patch)
    hidden = rows[:, None] & columns
    seen = 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(given, np.where(hidden, 0.5, seen), atol=1e-6)
    if (row, column) == (0, 0):
        assert np.argwhere(hidden).tolist() == [[0, 0]]
    if (row, column) == (95, 95) and stride in (4, 8):
        assert np.argwhere(hidden).tolist() == [[len(tops) - 1, len(tops) - 1]]
    if (row, column) == (95, 95) and stride == 7:  # 96 - 20 is no multiple: never reached
        assert not hidden.any()


@pytest.mark.parametrize(
    "patch, stride, side",
    [(16, 4, 21), (8, 6, 15), (16, 6, 14), (32, 6, 11), (96, 1, 1), (96, 50, 1), (95, 1, 2),
     (1, 96, 1), (1, 95, 2), (50, 47, 1), (50, 46, 2)],
)  # fmt: skip
def test_the_shape_is_by_the_formula(patch, stride, side):
    assert side == (96 - patch) // stride + 1
    assert occlusion_maps(Mean(), IMAGES, [0, 1], patch, stride).shape == (2, side, side)
    assert list(positions(96, patch, stride)) == [i * stride for i in range(side)]


def test_the_colour_of_the_patch_is_by_channel():
    black = np.zeros((1, 96, 96, 3), np.uint8)
    logits = occluded_logits(Mean(), black[0], patch=48, stride=48, fill=[255, 102, 0])
    # a quarter of the image is painted: the means are 1/4, 0.4/4 and 0
    np.testing.assert_allclose(logits, np.broadcast_to([0.25, 0.1, 0], (2, 2, 3)), atol=1e-6)


def test_of_an_image_that_fills_the_patch_those_pixels_are_seen_where_it_lies():
    row, column = 40, 17
    filled = np.zeros((96, 96, 3), np.uint8)
    filled[row, column] = 51
    filled[row, column + 1] = 204  # its neighbour: of no account wherever the patch lies
    for method in ("incremental", "batched"):
        white = np.full((96, 96, 3), 255, np.uint8)
        given = occluded_logits(Pixel(row, column), white, 16, 8, filled, method)[..., 0]
        tops = np.arange(0, 81, 8)
        hidden = ((tops <= row) & (row < tops + 16))[:, None]
        hidden = hidden & (tops <= column) & (column < tops + 16)
        np.testing.assert_allclose(given, np.where(hidden, 0.2, 1), atol=1e-6)


def test_log_odds_tell_places_apart_where_the_score_is_1():
    class Sure(Pixel):
        def forward(self, x):
            return 40 * super().forward(x)

    white = np.full((1, 96, 96, 3), 255, np.uint8)
    score, odds = (
        occlusion_maps(Sure(40, 17), white, [0], 32, 32, 229.5, measure=measure)[0]
        for measure in ("score", "log_odds")
    )
    assert score.dtype == odds.dtype == np.float32
    assert (score == 1).all()
    # of two classes, the log-odds are the difference of the logits: red is 1, under the patch 0.9
    expected = np.full((3, 3), 80.0)
    expected[1, 0] = 80 * 230 / 255
    np.testing.assert_allclose(odds, expected, rtol=1e-6)


def test_a_fill_is_rounded_to_the_nearest_level():
    near = occlusion_maps(Small(), IMAGES, [0, 0], 32, 32, fill=76.6)
    assert np.array_equal(near, occlusion_maps(Small(), IMAGES, [0, 0], 32, 32, fill=77))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"patch": 0}, "patch is 0"),
        ({"patch": -3}, "patch is -3"),
        ({"patch": 97}, "patch is 97: 1 to 96"),
        ({"stride": 0}, "stride is 0"),
        ({"stride": -1}, "stride is -1"),
        ({"method": "guess"}, "method is 'guess': auto, incremental, batched"),
        ({"targets": [0]}, "2 images need as many targets, not 1"),
        ({"targets": [0, 1, 2]}, "not 3"),
        ({"fill": [1, 2]}, "[Ss]hape|fill|broadcast"),
        ({"fill": np.zeros((48, 96, 3), np.uint8)}, r"fill is uint8 \(48, 96, 3\)"),
        ({"fill": np.zeros((96, 96, 3))}, "fill is float64"),
        ({"measure": "odds"}, "measure is 'odds': score, log_odds"),
        ({"fill": 300}, "fill"),
        ({"fill": -1}, "fill"),
        ({"fill": float("nan")}, "fill"),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_refused(change, message):
    arguments = {"images": IMAGES, "targets": [0, 1], "patch": 48, "stride": 48} | change
    with pytest.raises(ValueError, match=message):
        occlusion_maps(Mean(), **arguments)
