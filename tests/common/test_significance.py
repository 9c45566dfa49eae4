"""Shares compared, against what was worked out by hand, by scipy or by R."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from stages.common.significance import holm, mcnemar, pairwise, two_samples

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=9)


def test_mcnemar_counts_the_images_on_which_two_networks_differ():
    first = np.array([1, 1, 1, 1, 1, 1, 0], bool)
    second = np.array([1, 0, 0, 0, 0, 0, 0], bool)
    # five of five to one side: 2 / 2 ** 5
    assert mcnemar(first, second) == (5, 0, 0.0625)
    assert mcnemar(second, first) == (0, 5, 0.0625)
    assert mcnemar(first, first) == (0, 0, 1.0)


def test_holm_by_hand():
    # sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04, and none below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5]) == [0.5]
    assert holm([0.9, 0.8]) == [1, 1]


@given(SHARES)
def test_holm_keeps_the_order_and_lies_between_one_test_and_all(ps):
    corrected = np.array(holm(ps))
    assert (np.diff(corrected[np.argsort(ps)]) >= 0).all()
    assert (corrected >= ps).all()
    assert (corrected <= np.minimum(np.array(ps) * len(ps), 1) + 1e-12).all()


@pytest.mark.parametrize("right, count, other, others", [(768, 800, 185, 200), (3, 9, 8, 9)])
def test_two_shares_are_compared_as_by_pearson(right, count, other, others):
    first, second = np.arange(count) < right, np.arange(others) < other
    table = [[right, count - right], [other, others - other]]
    expected = chi2_contingency(table, correction=False).pvalue
    assert two_samples(first, second) == pytest.approx(expected)
    assert two_samples(first, first) == two_samples(first[:right], second[:other]) == 1


def test_two_means_are_compared_as_by_shuffling():
    rng = np.random.default_rng(0)
    first, second = rng.choice([-1, 0, 1], 300, p=[0.1, 0.7, 0.2]), rng.integers(-1, 2, 80)
    both, gap = np.concatenate([first, second]), abs(first.mean() - second.mean())
    dealt = [np.split(rng.permutation(both), [300]) for _ in range(4000)]
    share = np.mean([abs(a.mean() - b.mean()) >= gap - 1e-9 for a, b in dealt])
    assert 0.01 < share < 0.5
    assert two_samples(first, second) == pytest.approx(share, abs=0.006)


def test_all_pairs_of_networks_are_compared_and_corrected_together():
    none, half, all_right = np.zeros(12, bool), np.arange(12) < 6, np.ones(12, bool)
    found = pairwise({"q1": none, "q2": half, "better": all_right})
    # six of six: 2 / 2 ** 6 = 0.031; twelve of twelve: 2 / 2 ** 12, three times that: 0.001
    assert found == {
        "q1_q2": {"only_first": 0, "only_second": 6, "p": 0.031, "p_holm": 0.062},
        "q1_better": {"only_first": 0, "only_second": 12, "p": 0.0, "p_holm": 0.001},
        "q2_better": {"only_first": 0, "only_second": 6, "p": 0.031, "p_holm": 0.062},
    }
