"""Insertion and deletion on a network whose evidence is one known part of the image."""

import numpy as np
import pytest
import torch
from torch import nn

from stages.occlusion import curves

WHITE, BLACK = np.full((96, 96, 3), 255, np.uint8), np.zeros((96, 96, 3), np.uint8)
IMAGE = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
SEEN = 1 / (1 + np.exp(-4))


class Corner(nn.Module):
    """Is sure of the first class by the mean of one part, of rows 32 to 64, columns 0 to 32."""

    def forward(self, x):
        evidence = x[:, 0, 32:64, :32].mean(dim=(1, 2))
        return torch.stack([4 * evidence, torch.zeros_like(evidence)], dim=1)


def test_the_part_that_counts_is_hidden_first_or_last_and_the_area_is_by_hand():
    # parts of 32 pixels: nine, of which the fourth, number 3, counts
    first = np.array([3, 0, 1, 2, 4, 5, 6, 7, 8])
    deletion, random, insertion = curves.measure(
        Corner(), WHITE, BLACK, first, np.roll(first, 4), 32, 0
    )
    low = 0.5
    np.testing.assert_allclose(deletion, [SEEN] + [low] * 9, atol=1e-6)
    np.testing.assert_allclose(insertion, [low] + [SEEN] * 9, atol=1e-6)
    # in the other order it is hidden after four others
    np.testing.assert_allclose(random, [SEEN] * 5 + [low] * 5, atol=1e-6)
    # trapezes: eight and a half ninths of one height, half a ninth of the other
    areas = curves.area(np.stack([deletion, insertion]), 9)
    np.testing.assert_allclose(
        areas, [(8.5 * low + 0.5 * SEEN) / 9, (8.5 * SEEN + 0.5 * low) / 9], atol=1e-6
    )


def test_the_ranking_is_by_the_fall_with_the_patch_on_the_part():
    # a patch of 32 with a stride of 16: five positions a side, of which every second is a part
    falls = np.zeros((5, 5))
    falls[2, 0], falls[4, 4], falls[0, 2] = 3, 5, -1
    falls[1, 1] = 9  # between the parts
    assert curves.ranking(falls, 32, 16, 96).tolist() == [8, 3, 0, 2, 4, 5, 6, 7, 1]
    # where no position lies on a part the nearest one counts; at the far edge the last
    assert curves.ranking(np.array([[1.0, 2.0], [4.0, 3.0]]), 40, 50, 96)[0] == 3


@pytest.mark.parametrize("patch, parts", [(48, 4), (40, 9), (96, 1), (8, 144), (1, 9216)])
def test_parts_cover_the_image_and_are_replaced_in_order(patch, parts):
    order = np.random.default_rng(1).permutation(parts)
    states = curves.replaced(IMAGE, WHITE, order, patch)
    shares = curves.hidden_shares(parts)
    assert len(states) == len(shares) == min(parts, curves.STEPS) + 1
    assert np.array_equal(states[0], IMAGE) and np.array_equal(states[-1], WHITE)
    hidden = (states != IMAGE[None]).any(axis=-1)
    assert (hidden[1:] >= hidden[:-1]).all()  # what is hidden stays hidden
    top, left = np.array(divmod(order[0], -(-96 // patch))) * patch
    assert np.array_equal(states[1][top : top + patch, left : left + patch].min(), 255)


def test_random_orders_are_keyed_by_the_image():
    first, again, other = (curves.random_order(36, index) for index in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert sorted(first) == list(range(36))
