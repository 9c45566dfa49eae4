"""The split in numbers."""

import numpy as np
import pytest

from stages.split.statistics import channel_statistics, summary

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 8, 6, 3), np.uint8)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_channel_statistics_are_numpys_and_neither_order_nor_batches_change_a_bit(batch_size):
    indices = np.array([7, 1, 2, 5, 8])
    pixels = IMAGES[indices].reshape(-1, 3) / 255
    mean, std = found = channel_statistics(IMAGES, indices)
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-9)
    again = channel_statistics(IMAGES, indices[::-1], batch_size)
    assert np.array_equal(again, found)


def test_a_channel_without_variation_does_not_lead_to_a_division_by_zero():
    _, std = channel_statistics(np.full((3, 4, 4, 3), 9, np.uint8), np.arange(3))
    np.testing.assert_allclose(std, 1 / 255)


def test_a_summary_counts_images_and_duplicates():
    split = np.array(["train", "train", "val", "test", "train", "test"])
    labels = np.array([0, 1, 0, 1, 0, 0])
    groups = np.array([0, 1, 0, 3, 0, 3])
    assert summary(split, labels, groups, ["cat", "dog", "cow"]) == {
        "images": {
            "train": {"total": 3, "by_class": {"cat": 2, "dog": 1, "cow": 0}},
            "val": {"total": 1, "by_class": {"cat": 1, "dog": 0, "cow": 0}},
            "test": {"total": 2, "by_class": {"cat": 1, "dog": 1, "cow": 0}},
        },
        # images 2, 4 and 5 repeat 0, 0 and 3; only 2 stands on another side than the first
        "duplicates": {"images": 3, "across_splits": 1},
    }
