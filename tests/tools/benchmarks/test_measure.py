"""Results are compared before times, and times are taken in turn."""

import time

import numpy as np
import pytest
import torch

from tools.benchmarks.measure import Different, agree, deterministic, race


def test_pairs_alternate_and_tell_the_two_apart():
    calls = []

    def ours():
        calls.append("ours")

    def other():
        calls.append("other")
        time.sleep(0.02)

    times = race(ours, other, 3)
    assert calls == ["ours", "other", "other", "ours", "ours", "other"]
    assert len(times) == 3
    assert all(of_ours < 0.02 <= of_other for of_ours, of_other in times)


def test_equal_results_say_how_equal_they_are():
    assert agree([1, 2], [1, 2], "labels") == "labels are the same"
    said = agree([0.5, 0.25], [0.5, 0.250002], "scores", 1e-5)
    assert said == "scores within 1e-05 (at most 2e-06)"
    said = agree([100.0, 2.0], [100.05, 2.0], "losses", 1e-3, relative=True)
    assert said == "losses within 0.001 (at most 0.0005 relative)"


@pytest.mark.parametrize(
    "ours, other, tolerance, relative",
    [
        ([1, 2], [1, 3], 0.0, False),
        ([0.5, 0.5], [0.5, 0.50002], 1e-5, False),
        ([0.001, 1.0], [0.002, 1.0], 1e-2, True),
        ([np.nan, 1.0], [np.nan, 1.0], 1e-5, False),
        ([np.nan, 1.0], [np.nan, 1.0], 0.0, False),
        ([1.0, 1.0], [1.0], 1e-5, False),
        ([[1.0]], [1.0], 0.0, False),
    ],
)
def test_results_that_differ_are_refused_in_one_line(ours, other, tolerance, relative):
    with pytest.raises(Different, match="^scores differ[^\n]*$"):
        agree(ours, other, "scores", tolerance, relative)


def test_only_what_is_ours_is_computed_as_in_a_stage():
    with pytest.raises(KeyError), deterministic():
        assert torch.are_deterministic_algorithms_enabled()
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
