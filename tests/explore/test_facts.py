"""What the page says of all images."""

import numpy as np

from stages.compare.significance import pairwise as of_compare
from stages.explore.facts import THRESHOLDS, confusion, coverage, pairwise, pointing


def test_coverage_counts_what_is_answered_at_each_threshold_and_what_of_it_is_right():
    confidence = np.array([0.2, 0.5, 0.9991, 1.0])
    found = dict(zip(THRESHOLDS, coverage(confidence, np.array([1, 0, 1, 1], bool)), strict=True))
    expected = {0: [4, 3], 210: [3, 2], 500: [3, 2], 510: [2, 2], 999: [2, 2], 1000: [1, 1]}
    assert {threshold: found[threshold] for threshold in expected} == expected


def test_networks_are_compared_as_the_stage_compare_does_it():
    rng = np.random.default_rng(0)
    shares = {"q1": 0.5, "q2": 0.6, "better": 0.9}
    correct = {name: rng.random(200) < share for name, share in shares.items()}
    found, expected = pairwise(correct), of_compare(correct)
    assert found.keys() == expected.keys()
    for pair, row in found.items():
        assert row["both"] + row["only_first"] + row["only_second"] + row["neither"] == 200
        assert row["p"] == expected[pair]["p_holm"]
        assert row["only_first"] == expected[pair]["only_first"]


def test_the_place_that_is_needed_most_is_found_on_the_object_or_off_it():
    logits = np.zeros((2, 3, 3, 2))
    logits[0, 0, 2, 1] = -4  # centre at row 3, column 11
    logits[1, 1, 1, 0] = 2  # the other class rises: at row 7, column 7
    masks = np.zeros((2, 16, 16), bool)
    masks[0, 3, 11] = masks[1, 3, 3] = True
    found = pointing(logits, np.array([1, 1]), masks, 8, 4)
    assert found == {"hits": 1, "by_chance": 0.2, "images": 2, "patch": 8}


def test_a_confusion_matrix_is_listed_by_its_cells_that_are_not_empty():
    assert confusion(np.array([0, 0, 2]), np.array([1, 1, 2]), 3) == [[0, 1, 2], [2, 2, 1]]
