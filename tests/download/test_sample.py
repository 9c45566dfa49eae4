"""The sample data set: its form, its repeatability, and that only shape gives the class away."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stages.common.study import STL10_CLASSES as CLASSES
from stages.download.sample.pictures import draw, labels

PER_CLASS = 60
SEED = 20240501
CHANCE = 1 / len(CLASSES)


def drawn(per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    images, masks = zip(*draw(per_class, seed), strict=True)
    return np.stack(images), np.stack(masks)


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    return drawn(PER_CLASS, SEED)


def linear_accuracy(features: np.ndarray) -> float:
    """Accuracy on the last third of a linear classifier fitted to the first two."""
    of_class = labels(PER_CLASS)
    cut = 2 * len(of_class) // 3
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(features[:cut], of_class[:cut])
    return model.score(features[cut:], of_class[cut:])


def centroids(masks: np.ndarray) -> np.ndarray:
    """Mean row and column of each mask, (n, 2)."""
    area = masks.sum(axis=(1, 2))
    steps = np.arange(masks.shape[1])
    return np.stack([masks.sum(axis=axis) @ steps / area for axis in (2, 1)], axis=1)


def test_form(sample):
    images, masks = sample
    assert images.shape == (10 * PER_CLASS, 96, 96, 3) and images.dtype == np.uint8
    assert masks.shape == (10 * PER_CLASS, 96, 96) and masks.dtype == bool


def test_classes_are_balanced_and_take_turns():
    of_class = labels(PER_CLASS)
    assert of_class.dtype == np.uint8
    assert np.bincount(of_class).tolist() == [PER_CLASS] * len(CLASSES)
    assert of_class[:20].tolist() == [*range(10), *range(10)]


def test_same_seed_same_bytes_in_another_process():
    program = (
        "import sys; from stages.download.sample.pictures import draw\n"
        f"for pair in draw(2, {SEED}): sys.stdout.buffer.write(b''.join(a.tobytes() for a in pair))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    there = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True
    ).stdout
    assert there == b"".join(a.tobytes() for pair in draw(2, SEED) for a in pair)


def test_smaller_set_is_the_beginning_of_a_larger_one(sample):
    for few, many in zip(drawn(3, SEED), sample, strict=True):
        assert np.array_equal(few, many[: len(few)])


def test_masks_cover_part_of_every_image(sample):
    share = sample[1].mean(axis=(1, 2))
    assert share.min() > 0.02
    assert share.max() < 0.6


def test_figure_differs_from_what_surrounds_it(sample):
    """The colour just inside the mask's rim is unlike that just outside, and only there."""
    images, masks = sample

    def contrast(masks: np.ndarray) -> np.ndarray:
        ring = np.zeros_like(masks)
        core = masks.copy()
        for axis in (1, 2):
            for step in (-3, 3):
                ring |= np.roll(masks, step, axis)
                core &= np.roll(masks, step, axis)
        ring &= ~masks
        inner = masks & ~core

        def mean(where: np.ndarray) -> np.ndarray:
            total = (images * where[..., None]).sum(axis=(1, 2))
            return total / where.sum(axis=(1, 2))[:, None]

        return np.linalg.norm(mean(inner) - mean(ring), axis=1)

    right = contrast(masks)
    wrong = contrast(np.roll(masks, 48, axis=(1, 2)))
    assert np.median(right) > 50
    assert np.median(right) > 2 * np.median(wrong)
    assert (right > 15).mean() > 0.95


def test_colour_does_not_tell_the_class(sample):
    images = sample[0].reshape(len(sample[0]), -1, 3)
    features = np.concatenate([images.mean(axis=1), images.std(axis=1)], axis=1)
    assert linear_accuracy(features) <= CHANCE + 0.12


def test_colour_of_figure_and_of_scene_do_not_tell_the_class(sample):
    images, masks = sample
    features = [
        (images * where[..., None]).sum(axis=(1, 2)) / where.sum(axis=(1, 2))[:, None]
        for where in (masks, ~masks)
    ]
    assert linear_accuracy(np.concatenate(features, axis=1)) <= CHANCE + 0.15


def test_size_and_place_do_not_tell_the_class(sample):
    masks = sample[1]
    features = np.concatenate([masks.mean(axis=(1, 2))[:, None], centroids(masks)], axis=1)
    assert linear_accuracy(features) <= CHANCE + 0.15


def test_silhouettes_do_tell_the_class(sample):
    """The counterpart: the probe that finds nothing above does find shape where there is some."""
    masks = sample[1]
    thumbnails = masks.reshape(len(masks), 12, 8, 12, 8).mean(axis=(2, 4)).reshape(len(masks), -1)
    assert linear_accuracy(thumbnails) > CHANCE + 0.05
