"""What the page says of all images."""

import numpy as np

from stages.explore.facts import THRESHOLDS, confusion, coverage, fourfold, pointing


def test_coverage_counts_what_is_answered_at_each_threshold_and_what_of_it_is_right():
    confidence = np.array([0.2, 0.5, 0.9991, 1.0])
    found = dict(zip(THRESHOLDS, coverage(confidence, np.array([1, 0, 1, 1], bool)), strict=True))
    expected = {0: [4, 3], 210: [3, 2], 500: [3, 2], 510: [2, 2], 999: [2, 2], 1000: [1, 1]}
    assert {threshold: found[threshold] for threshold in expected} == expected


def test_both_and_neither_are_counted_beside_those_that_one_alone_gets_right():
    one, other = np.array([1, 1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1, 0], bool)
    pair = fourfold({"q1": one, "better": other})["q1_better"]
    expected = {"both": 2, "only_first": 2, "only_second": 1, "neither": 1, "p_holm": 1.0}
    assert {name: pair[name] for name in expected} == expected


def test_the_place_that_is_needed_most_is_found_on_the_object_or_off_it():
    logits = np.zeros((2, 3, 3, 2))
    logits[0, 0, 2, 1] = -4  # centre at row 3, column 11
    logits[1, 1, 1, 0] = 2  # the other class rises: at row 7, column 7
    masks = np.zeros((2, 16, 16), bool)
    masks[0, 3, 11] = masks[1, 3, 3] = True
    found = pointing(logits, np.array([1, 1]), np.array([1, 1]), masks, 8, 4)
    assert found == {"right": {"hits": 1, "by_chance": 0.2, "images": 2}}
    found = pointing(logits, np.array([1, 1]), np.array([0, 1]), masks, 8, 4)
    assert found["wrong"]["hits"] == 1 and found["right"]["hits"] == 0


def test_a_confusion_matrix_is_listed_by_its_cells_that_are_not_empty():
    assert confusion(np.array([0, 0, 2]), np.array([1, 1, 2]), 3) == [[0, 1, 2], [2, 2, 1]]
