"""How good a classifier is, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from stages.evaluate.statistics import (
    accuracy_interval,
    class_metrics,
    expected_calibration_error,
    reliability,
    split_metrics,
)


@pytest.mark.parametrize(
    "correct, count, low, high",
    [
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
        (0, 10, 0.0, 0.2775),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (1, 29, 0.0061, 0.1718),  # the same
    ],
)
def test_the_interval_is_wilsons(correct, count, low, high):
    assert accuracy_interval(correct, count) == pytest.approx((low, high), abs=5e-5)


def two_classes(confidence, right):
    """Make scores of given confidence, half of them for each class, and labels."""
    confidence = np.array(confidence)
    predicted = np.arange(len(confidence)) % 2
    scores = np.where(predicted[:, None] == [0, 1], confidence[:, None], 1 - confidence[:, None])
    return scores, np.where(right, predicted, 1 - predicted)


@pytest.mark.parametrize(
    "confidence, right, error",
    [
        ([0.9, 0.9, 0.62], [1, 0, 1], (2 * 0.4 + 0.38) / 3),
        # in one bin too high and too low cancel out, in two they do not
        ([0.92, 0.88], [1, 0], 0.8 / 2),
        ([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], 0),
        ([0.95, 0.55], [0, 1], (0.95 + 0.45) / 2),
    ],
)
def test_calibration_error(confidence, right, error):
    scores, labels = two_classes(confidence, right)
    assert expected_calibration_error(scores, labels) == pytest.approx(error, abs=1e-9)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    scores, labels = two_classes([0.5, 0.75], [1, 0])
    # with two bins 0.5 is in the first and 0.75 in the second: |1 - 0.5| and |0 - 0.75|
    assert expected_calibration_error(scores, labels, bins=2) == pytest.approx(1.25 / 2)
    # with one they share it: |1 - 1.25| / 2
    assert expected_calibration_error(scores, labels, bins=1) == pytest.approx(0.125)


def test_reliability_lists_the_bins_that_hold_an_image():
    scores, labels = two_classes([0.9, 0.9, 0.62, 1.0], [1, 0, 1, 1])
    table = reliability(scores, labels, bins=5)
    assert table["low"].tolist() == pytest.approx([0.6, 0.8])
    assert table["high"].tolist() == pytest.approx([0.8, 1.0])
    assert table["images"].tolist() == [1, 3]
    assert table["confidence"].tolist() == pytest.approx([0.62, 2.8 / 3])
    assert table["accuracy"].tolist() == pytest.approx([1, 2 / 3])


def test_classes_are_measured_as_by_hand():
    labels = np.array([0, 0, 0, 1, 1])
    predicted = np.array([0, 0, 1, 1, 0])
    table = class_metrics(predicted, labels, ["cat", "dog", "cow"])
    assert table["class"].tolist() == ["cat", "dog", "cow"]
    assert table["images"].tolist() == [3, 2, 0]
    assert table["precision"].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert table["f1"].tolist() == pytest.approx([2 / 3, 1 / 2, 0])


def test_a_split_is_measured_as_by_hand():
    scores = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]], np.float32)
    labels = np.array([0, 0, 1, 1])
    metrics = split_metrics(np.log(scores), labels)
    loss = -(math.log(0.8) + math.log(0.6) + math.log(0.7) + math.log(0.1)) / 4
    # class 0: precision 2/3, recall 1; class 1: precision 1, recall 1/2
    f1 = (4 / 5 + 2 / 3) / 2
    # four bins of one image each: |1 - .8|, |1 - .6|, |1 - .7|, |0 - .9|
    error = (0.2 + 0.4 + 0.3 + 0.9) / 4
    assert metrics == {
        "accuracy": 0.75,
        "loss": round(loss, 4),
        "macro_f1": round(f1, 4),
        "expected_calibration_error": round(error, 4),
        "accuracy_interval": {"low": 0.3006, "high": 0.9544},
    }


def test_a_class_that_is_never_there_and_never_predicted_counts_as_zero():
    scores = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], np.float32)
    metrics = split_metrics(np.log(scores), np.array([0, 1]))
    assert metrics["macro_f1"] == round(2 / 3, 4)


@pytest.mark.parametrize("gap", [30, 60, 1000])
def test_the_loss_of_a_confident_error_has_no_bound(gap):
    assert split_metrics(np.array([[gap, 0], [0, gap]], np.float32), [1, 1])["loss"] == gap / 2
