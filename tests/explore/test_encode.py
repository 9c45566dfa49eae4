"""What the page holds comes out as it went in, within the stated bounds."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from scipy.special import logsumexp, softmax

from stages.explore.encode import COARSE, FINE, REACH, codes, kept, photo, png, tiles


def decoded(code: np.ndarray, steps: int) -> np.ndarray:
    """What the page takes codes for: nats below the highest."""
    return np.expm1(code / steps * np.log1p(REACH))


@pytest.mark.parametrize(("steps", "bound"), [(COARSE, 0.01), (FINE, 0.0001)])
@pytest.mark.parametrize("spread", [0.1, 1, 4, 15])
def test_scores_and_log_odds_are_kept_within_the_stated_bound(steps, bound, spread):
    logits = np.random.default_rng(0).normal(size=(20_000, 10)) * spread
    below = decoded(codes(logits, steps), steps)
    np.testing.assert_allclose(softmax(-below, 1), softmax(logits, 1), rtol=0, atol=bound)
    exact = logits.max(axis=1, keepdims=True) - logits
    near = exact < REACH
    assert (np.abs(below - exact)[near] <= (2 + exact[near]) * np.log1p(REACH) / steps).all()
    odds, expected = (-x[:, 0] - logsumexp(-x[:, 1:], axis=1) for x in (below, exact))
    near = np.abs(expected) < REACH - 10
    error = np.abs(odds - expected)[near]
    assert (error <= (1 + np.abs(expected[near])) * 2 * np.log1p(REACH) / steps).all()


def test_only_the_predicted_class_has_the_code_zero_however_close_another_comes():
    code = codes([[1.0, 1.0 + 1e-9, 1.0], [7.0, 7.0, 0.0], [0.0, 1e6, 0.0]], COARSE)
    assert (code == 0).tolist() == [
        [False, True, False],
        [True, False, False],
        [False, True, False],
    ]
    assert code.max() == COARSE


def test_classes_that_are_left_out_keep_their_part_of_the_scores():
    logits = np.random.default_rng(0).normal(size=(5, 4, 20))
    shown = np.array([2, 3, 11])
    found = softmax(kept(logits, shown), axis=-1)
    np.testing.assert_allclose(found[..., :3], softmax(logits, axis=-1)[..., shown])
    assert found.shape == (5, 4, 4) and kept(logits, np.arange(20)).shape == logits.shape


def test_a_photograph_is_whole_again_when_its_parts_are_joined_in_base64():
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), np.uint8)
    images = images.repeat(8, axis=1).repeat(8, axis=2)
    parts = [photo(image) for image in images]
    assert len({header for header, _ in parts}) == 1
    for image, (header, scan) in zip(images, parts, strict=True):
        joined = base64.b64encode(header).decode() + base64.b64encode(scan).decode()
        found = Image.open(io.BytesIO(base64.b64decode(joined)))
        plain = io.BytesIO()
        Image.fromarray(image).save(plain, "jpeg", quality=85, subsampling="4:2:0")
        np.testing.assert_array_equal(np.asarray(found), np.asarray(Image.open(plain)))


def test_maps_lie_below_one_another_class_by_class():
    grids = [np.arange(12).reshape(2, 3, 2), np.arange(4).reshape(1, 2, 2)]
    found = np.asarray(Image.open(io.BytesIO(png(tiles(grids).astype(np.uint8)))))
    assert found.tolist() == [
        *([[0, 2, 4], [6, 8, 10]] + [[1, 3, 5], [7, 9, 11]]),
        *([[0, 2, 0]] + [[1, 3, 0]]),
    ]
