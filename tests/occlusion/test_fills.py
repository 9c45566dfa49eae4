"""What stands where the patch lies."""

import numpy as np
import pytest

from stages.occlusion.fills import filled

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)
MEAN = (99.6, 120, 90.4)


@pytest.mark.parametrize(
    "fill, color",
    [("mean", (100, 120, 90)), ("gray", (128,) * 3), ("black", (0,) * 3), (7.6, (8,) * 3),
     ([1, 2, 3], (1, 2, 3))],
    ids=str,
)  # fmt: skip
def test_a_colour_is_the_same_everywhere(fill, color):
    given = filled(fill, IMAGES[0], MEAN)
    assert given.dtype == np.uint8 and given.shape == (96, 96, 3)
    assert (given == color).all()


def test_noise_is_keyed_by_the_place_of_a_pixel_alone():
    first, second = (filled("noise", image, MEAN) for image in IMAGES)
    assert np.array_equal(first, second)
    # no two places are alike, and the colours are spread evenly
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 9000
    assert abs(first.mean() - 127.5) < 2 and np.ptp(first) == 255


def test_blur_leaves_nothing_as_small_as_a_patch_and_keeps_the_mean():
    image = np.zeros((96, 96, 3), np.uint8)
    image[::8] = 255  # stripes
    blurred = filled("blur", image, MEAN)
    assert np.ptp(blurred[24:-24].astype(int)) <= 2
    assert abs(blurred[24:-24].mean() - 255 / 8) < 2
