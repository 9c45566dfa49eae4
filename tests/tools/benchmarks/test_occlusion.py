"""The benchmark of occlusion on one small case."""

import numpy as np
import pytest
import torch

from tools.benchmarks import occlusion
from tools.benchmarks.measure import Different


def test_a_case_is_compared_with_both():
    batched, captum = occlusion.rows(1, cases=(("ShallowCNN", 32, 32),))
    assert batched.case == captum.case == "ShallowCNN, patch 32, stride 32"
    assert (batched.other, batched.equality[:14]) == ("batched", "softmax scores")
    assert captum.other.startswith("Captum, ")
    for row in (batched, captum):
        assert len(row.pairs) == 1 and min(row.pairs[0]) > 0


def test_a_pixel_has_the_mean_drop_of_the_patches_that_hide_it():
    averaged = occlusion.average(np.array([[1.0, 2.0], [3.0, 6.0]]), patch=2, stride=1, size=3)
    assert averaged.tolist() == [[1.0, 1.5, 2.0], [2.0, 3.0, 4.0], [3.0, 4.5, 6.0]]


def test_scores_that_are_not_exact_are_not_timed(monkeypatch):
    exact = occlusion.occluded_scores

    def inexact(*arguments, method, **options):
        return exact(*arguments, method=method, **options) + 2e-5 * (method == "incremental")

    monkeypatch.setattr(occlusion, "occluded_scores", inexact)
    with pytest.raises(Different, match="softmax scores differ by 2e-05"):
        next(occlusion.rows(1, cases=(("ShallowCNN", 32, 32),)))


def test_the_time_of_a_call_is_taken_apart():
    image, kernel = torch.rand(1, 8, 64, 64), torch.rand(8, 8, 3, 3)
    convolved = occlusion.shares(lambda: torch.conv2d(image, kernel))
    gathered = occlusion.shares(lambda: torch.cat([image, image]))
    assert list(convolved) == ["convolution", "gathering", "the rest"]
    assert sum(convolved.values()) == pytest.approx(1)
    assert convolved["convolution"] > 0.5 and convolved["gathering"] == 0
    assert gathered["gathering"] > 0.5 and gathered["convolution"] == 0
