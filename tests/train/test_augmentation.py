"""Augmentation: each image by a draw of its own, and what each switch does."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from stages.common.reproducible import derived_seed
from stages.train.augmentation import DRAWS, augment, build
from tests.conftest import train_params

FILL = [10.0, 20.0, 30.0]
NOISE = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3), np.uint8)
SAME = NOISE[:1].repeat(8, axis=0)
EVERYTHING = {"flip": 0.5, "crop": 12, "rotate": 10, "color": 0.3, "erase": 24, "zoom": 0.9}
SWITCHES = [{key: value} for key, value in EVERYTHING.items()]


def apply(images, seed=0, epoch=1, indices=None, **switches):
    augmentation = build(train_params(**switches), FILL)
    indices = range(len(images)) if indices is None else indices
    return augment(images, augmentation, seed, epoch, indices)


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda switches: next(iter(switches)))
def test_identical_images_of_a_batch_differ(switches):
    augmented = apply(SAME, **switches)
    assert augmented.shape == SAME.shape and augmented.dtype == np.uint8
    assert len({image.tobytes() for image in augmented}) > 1
    if "flip" not in switches:  # a flip has two outcomes only
        assert len({image.tobytes() for image in augmented}) == 8


@pytest.mark.parametrize(
    "switches", [*SWITCHES, EVERYTHING], ids=lambda switches: "+".join(switches)
)
def test_the_draw_is_keyed_by_seed_epoch_and_image(switches):
    first = apply(NOISE, **switches)
    assert np.array_equal(apply(NOISE, **switches), first)
    assert not np.array_equal(apply(NOISE, **switches, epoch=2), first)
    assert not np.array_equal(apply(NOISE, **switches, seed=1), first)
    assert not np.array_equal(apply(NOISE, **switches, indices=range(100, 108)), first)


def test_neither_the_order_nor_the_batch_changes_what_an_image_gets():
    whole = apply(NOISE, **EVERYTHING)
    order = [5, 0, 7, 2]
    assert np.array_equal(apply(NOISE[order], **EVERYTHING, indices=order), whole[order])
    for i in range(8):
        assert np.array_equal(apply(NOISE[i : i + 1], **EVERYTHING, indices=[i])[0], whole[i])


def test_to_switch_a_part_on_changes_no_other_part():
    flipped, both = apply(NOISE, flip=0.5), apply(NOISE, flip=0.5, erase=10)
    changed = (flipped != both).any(axis=-1)
    assert changed.any(axis=(1, 2)).all() and changed.sum(axis=(1, 2)).max() <= 100


def test_a_flip_happens_as_often_as_asked():
    flipped = 0
    for epoch in range(1, 51):
        augmented = apply(NOISE, epoch=epoch, flip=0.25)
        for image, original in zip(augmented, NOISE, strict=True):
            turned = np.array_equal(image, original[:, ::-1])
            assert turned or np.array_equal(image, original)
            flipped += turned
    # of 400 draws 100 +- 4 standard deviations
    assert 65 <= flipped <= 135


def test_a_crop_is_a_window_of_the_image_with_mirrored_margins():
    places = set()
    for image, cropped in zip(NOISE, apply(NOISE, crop=5), strict=True):
        padded = np.pad(image, ((5, 5), (5, 5), (0, 0)), mode="reflect")
        found = [
            (top, left)
            for top in range(11)
            for left in range(11)
            if np.array_equal(padded[top : top + 96, left : left + 96], cropped)
        ]
        assert len(found) == 1
        places.update(found)
    assert len(places) > 4


@pytest.mark.parametrize("draw, place", [(0.0, 0), (0.5, 5), (1 - 2**-53, 10)])
def test_a_crop_reaches_from_the_first_place_to_the_last(draw, place):
    padded = np.pad(NOISE, ((0, 0), (5, 5), (5, 5), (0, 0)), mode="reflect")
    cropped = build(train_params(crop=5), FILL)(NOISE, np.full((8, DRAWS), draw))
    assert np.array_equal(cropped, padded[:, place : place + 96, place : place + 96])


def test_a_zoom_grows_or_shrinks_an_image_from_its_middle_by_up_to_its_share():
    square = np.zeros((64, 96, 96, 3), np.uint8)
    square[:, 28:68, 28:68] = 255
    grown = apply(square, zoom=0.5)
    assert np.array_equal(grown, grown[:, ::-1]) and np.array_equal(grown, grown[:, :, ::-1])
    sides = (grown[:, 48, :, 0] > 0).sum(axis=1)
    # from 40 / 1.5 to 40 * 1.5, as often smaller as larger: 32 +- 4 standard deviations
    assert 26 <= sides.min() < 32 and 50 < sides.max() <= 60
    assert 16 <= (sides > 40).sum() <= 48


def test_what_a_zoom_brings_in_from_beyond_the_border_is_mirrored():
    ramp = np.zeros((32, 96, 96, 3), np.uint8)
    ramp[:] = np.arange(96)[:, None]
    for image in apply(ramp, zoom=1.0):
        row = image[48, :, 0].astype(int)
        assert np.abs(np.diff(row)).max() <= 2 and row.max() - row.min() >= 47


@pytest.mark.parametrize("side", [1, 24, 95])
def test_an_erased_square_has_its_side_and_the_fill_colour(side):
    image = np.full((3, 96, 96, 3), 200, np.uint8)
    places = set()
    for erased in apply(image, erase=side):
        rows, columns = np.nonzero((erased != 200).any(axis=-1))
        assert len(rows) == side**2
        top, left = rows.min(), columns.min()
        square = erased[top : top + side, left : left + side]
        assert (square == [10, 20, 30]).all()
        assert square.shape == (side, side, 3)
        places.add((top, left))
    assert len(places) > 1 or side > 90


def test_a_rotation_opens_corners_in_the_fill_colour():
    white = np.full((8, 96, 96, 3), 255, np.uint8)
    rotated = apply(white, rotate=30)
    corners = rotated[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == [10, 20, 30]).all(axis=-1).any()
    assert (rotated[:, 48, 48] == 255).all()


def test_a_change_of_colour_moves_no_pixel():
    image = np.zeros((4, 96, 96, 3), np.uint8)
    image[:, 20:40, 30:60] = [200, 100, 50]
    changed = apply(image, color=0.5)
    for one in changed:
        inside = one[20:40, 30:60].reshape(-1, 3)
        outside = one[np.r_[0:20, 40:96]].reshape(-1, 3)
        assert len(np.unique(inside, axis=0)) == 1 and len(np.unique(outside, axis=0)) == 1
        assert inside[0].sum() > outside[0].sum()


def test_a_change_of_colour_is_that_of_torchvision():
    changed = apply(NOISE, color=0.4)
    for index, (image, ours) in enumerate(zip(NOISE, changed, strict=True)):
        # of the draws of an image those from the fifth are brightness, contrast, saturation
        generator = torch.Generator().manual_seed(derived_seed(0, "augmentation", 1, index))
        draws = torch.rand(DRAWS, generator=generator, dtype=torch.float64)[4:7]
        brightness, contrast, saturation = (1 + 0.4 * (2 * draws - 1)).tolist()
        theirs = functional.adjust_brightness(torch.from_numpy(image).permute(2, 0, 1), brightness)
        theirs = functional.adjust_contrast(theirs, contrast)
        theirs = functional.adjust_saturation(theirs, saturation).permute(1, 2, 0).numpy()
        # the order of adding up decides some that lie between two whole numbers
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.max() <= 1 and (difference > 0).mean() < 0.01
