"""The most confident images, by scores made by hand."""

import numpy as np
import pytest

from stages.evaluate.galleries import most_confident, table

# class 0 is right at 0 (.9), 1 (.6), 5 (.8) and wrong at 2 (.7 for 1), 6 (.95 for 2);
# class 1 is right at 3 (.5) and wrong at 4 (.55 for 0); class 2 is wrong at 7 (.65 for 1)
SCORES = np.array(
    [
        [0.90, 0.05, 0.05],
        [0.60, 0.30, 0.10],
        [0.20, 0.70, 0.10],
        [0.30, 0.50, 0.20],
        [0.55, 0.35, 0.10],
        [0.80, 0.15, 0.05],
        [0.03, 0.02, 0.95],
        [0.05, 0.65, 0.30],
    ],
    np.float32,
)
LABELS = np.array([0, 0, 0, 1, 1, 0, 0, 2])


@pytest.mark.parametrize(
    "group_by, wrong",
    [
        ("actual", [[6, 2, -1], [4, -1, -1], [7, -1, -1]]),
        ("predicted", [[4, -1, -1], [2, 7, -1], [6, -1, -1]]),
    ],
)
def test_both_galleries_are_ranked_by_the_predicted_class(group_by, wrong):
    correct, misclassified = most_confident(SCORES, LABELS, 3, group_by)
    assert correct.tolist() == [[0, 5, 1], [3, -1, -1], [-1, -1, -1]]
    assert misclassified.tolist() == wrong


def test_equal_scores_are_settled_by_the_index():
    scores = np.tile([[0.75, 0.25]], (40, 1))
    scores[[30, 10]] = [0.875, 0.125]
    correct, _ = most_confident(scores, np.zeros(40, int), per_class=5)
    assert correct[0].tolist() == [10, 30, 0, 1, 2]


def test_every_image_stands_in_one_gallery_once():
    rng = np.random.default_rng(0)
    scores, labels = rng.dirichlet(np.ones(4), 200), rng.integers(0, 4, 200)
    for group_by in ("actual", "predicted"):
        both = np.concatenate(most_confident(scores, labels, 200, group_by), axis=None)
        assert sorted(both[both >= 0]) == list(range(200))


@pytest.mark.parametrize(
    "scores, labels, words",
    [
        (SCORES, LABELS[:-1], r"\(n, c\) and labels \(n,\)"),
        (SCORES[0], LABELS, r"\(n, c\) and labels \(n,\)"),
        (SCORES * np.nan, LABELS, "NaN or infinity"),
    ],
)
def test_scores_that_do_not_fit_are_refused(scores, labels, words):
    with pytest.raises(ValueError, match=words):
        most_confident(scores, labels)


def test_the_table_lists_both_galleries_with_the_places_in_the_data_set():
    galleries = most_confident(SCORES, LABELS, per_class=2)
    places = np.arange(8) + 100
    rows = table(galleries, SCORES, LABELS, places, ["cat", "dog", "cow"])
    assert rows.drop(columns="score").values.tolist() == [
        ["correct", "cat", 1, 100, "cat", "cat"],
        ["correct", "cat", 2, 105, "cat", "cat"],
        ["correct", "dog", 1, 103, "dog", "dog"],
        ["misclassified", "cat", 1, 106, "cat", "cow"],
        ["misclassified", "cat", 2, 102, "cat", "dog"],
        ["misclassified", "dog", 1, 104, "dog", "cat"],
        ["misclassified", "cow", 1, 107, "cow", "dog"],
    ]
    np.testing.assert_allclose(rows["score"], [0.9, 0.8, 0.5, 0.95, 0.7, 0.55, 0.65])
