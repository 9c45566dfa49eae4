"""Confusion matrices and networks compared, against what was worked out by hand or by scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from stages.report.agreement import (
    error_rates,
    has_shape,
    mcnemar,
    mixed_pairs,
    rank_agreement,
)

MATRICES = arrays(np.int64, (4, 4), elements=st.integers(0, 9))
# each class is taken for the next one, the more often the later it comes
PATTERN = np.diag([9] * 6) + np.diag([3, 4, 5, 6, 7], 1)


def test_rates_are_shares_of_the_true_class():
    assert error_rates(np.array([[3, 1], [0, 0]])).tolist() == [[0.75, 0.25], [0, 0]]


@given(MATRICES, MATRICES)
def test_the_correlation_is_that_of_scipy_off_the_diagonal(first, second):
    agreement = rank_agreement(first, second, permutations=9)
    if not (has_shape(first) and has_shape(second)):
        assert agreement is None
        return
    off = ~np.eye(4, dtype=bool)
    expected = spearmanr(error_rates(first)[off], error_rates(second)[off]).statistic
    assert agreement[0] == pytest.approx(expected)


def test_the_same_pattern_at_another_level_is_found():
    correlation, p = rank_agreement(PATTERN, PATTERN + np.diag([900] * 6))
    assert correlation > 0.9 and p < 0.01


def test_unrelated_patterns_are_not_taken_for_one():
    rng = np.random.default_rng(0)
    ps = [rank_agreement(*rng.integers(0, 9, (2, 6, 6)), permutations=199)[1] for _ in range(60)]
    # under chance alone p is uniform: some 3 of 60 fall below 0.05
    assert 0 < np.mean(np.array(ps) < 0.5) < 1
    assert np.mean(np.array(ps) < 0.05) < 0.15


def test_the_opposite_pattern_is_not_taken_for_agreement():
    correlation, p = rank_agreement(PATTERN, 9 - PATTERN)
    assert correlation < 0 and p > 0.5


def test_the_same_seed_gives_the_same_p():
    assert rank_agreement(PATTERN, PATTERN.T) == rank_agreement(PATTERN, PATTERN.T)


@pytest.mark.parametrize(
    "counts",
    [np.diag([5] * 4), np.full((4, 4), 3), np.zeros((4, 4), int)],
    ids=["no error", "all alike", "no image"],
)
def test_without_a_shape_nothing_is_compared(counts):
    assert not has_shape(counts)
    assert rank_agreement(counts, PATTERN[:4, :4]) is None


def test_fewer_errors_than_classes_have_no_shape():
    few = np.diag([9] * 4)
    few[0, 1] = 3
    assert not has_shape(few)
    few[0, 1] = 4
    assert has_shape(few)


def test_one_class_has_no_shape():
    assert not has_shape(np.array([[7]]))


def test_mcnemar_counts_the_images_on_which_two_networks_differ():
    first = np.array([1, 1, 1, 1, 1, 1, 0], bool)
    second = np.array([1, 0, 0, 0, 0, 0, 0], bool)
    # five of five to one side: 2 / 2 ** 5
    assert mcnemar(first, second) == (5, 0, 0.062)
    assert mcnemar(second, first) == (0, 5, 0.062)
    assert mcnemar(first, first) == (0, 0, 1.0)


def test_pairs_are_ranked_by_errors_in_both_directions():
    counts = np.array([[9, 1, 0], [2, 9, 3], [0, 0, 9]])
    assert mixed_pairs(counts) == [(0, 1, 3), (1, 2, 3)]
    assert mixed_pairs(np.diag([1, 2])) == []
