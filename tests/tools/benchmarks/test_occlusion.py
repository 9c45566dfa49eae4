"""The benchmark of occlusion on one small case."""

import numpy as np
import pytest

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
    exact = occlusion.occluded_logits

    def inexact(*arguments, method, **options):
        answers = exact(*arguments, method=method, **options)
        return answers + 1e-3 * (method == "incremental") * np.arange(answers.shape[-1])

    monkeypatch.setattr(occlusion, "occluded_logits", inexact)
    with pytest.raises(Different, match="softmax scores differ by"):
        next(occlusion.rows(1, cases=(("ShallowCNN", 32, 32),)))
