"""Networks compared on the same images, against what was worked out by hand."""

import numpy as np

from stages.compare.significance import pairwise


def test_all_pairs_of_networks_are_compared_and_corrected_together():
    none, half, all_right = np.zeros(12, bool), np.arange(12) < 6, np.ones(12, bool)
    found = pairwise({"q1": none, "q2": half, "better": all_right})
    # six of six: 2 / 2 ** 6 = 0.031; twelve of twelve: 2 / 2 ** 12, three times that: 0.001
    assert found == {
        "q1_q2": {"only_first": 0, "only_second": 6, "p": 0.031, "p_holm": 0.062},
        "q1_better": {"only_first": 0, "only_second": 12, "p": 0.0, "p_holm": 0.001},
        "q2_better": {"only_first": 0, "only_second": 6, "p": 0.031, "p_holm": 0.062},
    }
