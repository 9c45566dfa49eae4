"""Confusion matrices compared, against what was worked out by hand or by scipy."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from stages.common.confusion import row_shares
from stages.evaluate.agreement import compare, error_distances, has_shape, rank_correlation

MATRICES = arrays(np.int64, (4, 4), elements=st.integers(0, 9))
# each class is taken for the next one, the more often the later it comes
PATTERN = np.diag([9] * 6) + np.diag([3, 4, 5, 6, 7], 1)


@given(MATRICES, MATRICES)
def test_the_correlation_is_that_of_scipy_off_the_diagonal(first, second):
    agreement = rank_correlation(first, second, permutations=9)
    if not (has_shape(first) and has_shape(second)):
        assert agreement is None
        return
    off = ~np.eye(4, dtype=bool)
    expected = spearmanr(row_shares(first)[off], row_shares(second)[off]).statistic
    assert agreement[0] == pytest.approx(expected)


def test_the_same_pattern_at_another_level_is_found():
    correlation, p = rank_correlation(PATTERN, PATTERN + np.diag([900] * 6))
    assert correlation > 0.9 and p < 0.01


def test_p_is_the_share_of_all_ways_to_rename_the_classes():
    one, other = np.random.default_rng(0).integers(0, 9, (2, 4, 4))
    off = ~np.eye(4, dtype=bool)

    def correlation(order):
        renamed = row_shares(other)[np.ix_(order, order)]
        return spearmanr(row_shares(one)[off], renamed[off]).statistic

    found = np.array([correlation(list(order)) for order in permutations(range(4))])
    _, p = rank_correlation(one, other)
    assert p == pytest.approx((found >= found[0] - 1e-9).mean(), abs=0.03)


def test_unrelated_patterns_are_not_taken_for_one():
    rng = np.random.default_rng(0)
    ps = [rank_correlation(*rng.integers(0, 9, (2, 6, 6)), permutations=199)[1] for _ in range(60)]
    # under chance alone p is uniform: some 3 of 60 fall below 0.05
    assert np.mean(np.array(ps) < 0.05) < 0.15


@pytest.mark.parametrize(
    "counts",
    [np.diag([5] * 4), np.full((4, 4), 3), np.zeros((4, 4), int), np.diag([3, 0, 0], 1)],
    ids=["no error", "all alike", "no image", "fewer errors than classes"],
)
def test_without_a_shape_nothing_is_compared(counts):
    assert not has_shape(counts)
    assert rank_correlation(counts, PATTERN[:4, :4]) is None


def test_as_many_errors_as_classes_have_a_shape():
    assert has_shape(np.diag([4, 0, 0], 1))


def test_distances_of_errors_worked_out_by_hand():
    # cat: the same shares at another level; dog: nothing in common; cow: no error on one side
    first = np.array([[9, 1, 1], [2, 9, 0], [0, 0, 9]])
    second = np.array([[0, 4, 4], [0, 0, 3], [5, 0, 0]])
    table, p = error_distances(first, second, ["cat", "dog", "cow"])
    assert table["class"].tolist() == ["cat", "dog"]
    assert table["first_errors"].tolist() == [2, 2]
    assert table["second_errors"].tolist() == [8, 3]
    assert table["distance"].tolist() == [0, 1]
    assert 0 < p < 1


def test_the_distance_is_the_root_of_the_divergence_in_bits():
    # 3/4 and 1/4 against 1/4 and 3/4, their mean is even: (3/4 ld 3/2 + 1/4 ld 1/2) bits
    first, second = np.array([[0, 3, 1], [0, 1, 0], [0, 0, 1]]), np.array([[0, 1, 3], [0, 1, 0]])
    table, _ = error_distances(first, second, ["cat"])
    divergence = 0.75 * np.log2(1.5) + 0.25 * np.log2(0.5)
    assert table["distance"].tolist() == pytest.approx([np.sqrt(divergence)])


def test_two_errors_dealt_at_random_by_hand():
    # one error each: of two different ones, each deal is as far apart as can be; of two alike, none
    apart, _ = error_distances(np.array([[0, 1, 0]]), np.array([[0, 0, 1]]), ["cat"])
    assert apart["distance_by_chance"].tolist() == [1]
    alike, p = error_distances(np.array([[0, 1, 0]]), np.array([[0, 1, 0]]), ["cat"])
    assert alike["distance_by_chance"].tolist() == [0] and p == 1


def test_errors_of_one_source_are_as_far_apart_as_by_chance_and_others_further():
    rng = np.random.default_rng(0)
    rates = rng.dirichlet(np.ones(6), 6)
    others = np.roll(rates, 1, axis=1)
    one, same, other = (rng.multinomial(60, shares) for shares in (rates, rates, others))
    names = list("abcdef")
    assert error_distances(one, same, names)[1] > 0.05
    table, p = error_distances(one, other, names)
    assert p <= 0.001
    assert (table["distance"] > table["distance_by_chance"]).all()


def test_all_pairs_of_splits_are_compared():
    counts = {"train": np.diag([9] * 6), "val": PATTERN, "test": 2 * PATTERN}
    summary, table = compare(counts, list("abcdef"))
    assert list(summary) == ["train_val", "train_test", "val_test"]
    assert set(summary["train_val"].values()) == {None}
    correlation, p = rank_correlation(PATTERN, 2 * PATTERN)
    assert summary["val_test"]["rank_correlation"] == pytest.approx(correlation, abs=5e-4)
    assert summary["val_test"]["rank_p"] == p
    # the last class is never taken for another one, each of the others for one alone
    assert table["class"].tolist() == list("abcde") and set(table["first"]) == {"val"}
    assert summary["val_test"]["error_distance"] == 0
    assert summary["val_test"]["error_distance_p"] == 1
