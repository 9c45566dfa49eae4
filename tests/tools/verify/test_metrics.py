"""The tolerance of metrics, at and beyond its edges."""

import pytest

from tools.verify.metrics import (
    GALLERY_TOLERANCE,
    LOSS_TOLERANCE,
    SHARE_TOLERANCE,
    beyond_tolerance,
)

METRICS = {
    "best_epoch": 8,
    "parameters": 390602,
    "network": "q1",
    "test": {"accuracy": 0.7, "accuracy_interval": {"low": 0.6459}, "loss": 2.0},
}


def test_equal_metrics_are_the_same():
    assert beyond_tolerance(METRICS, METRICS) == []
    assert beyond_tolerance({}, {}) == []


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_share_may_differ_by_an_absolute_amount(sign):
    def accuracy(value):
        return {"test": {"accuracy": value, "accuracy_interval": {"low": value}}}

    edge = 0.7 + sign * SHARE_TOLERANCE
    assert beyond_tolerance(accuracy(0.7), accuracy(edge)) == []
    beyond = round(edge + sign * 0.0001, 4)
    assert beyond_tolerance(accuracy(0.7), accuracy(beyond)) == [
        f"test.accuracy was 0.7, is {beyond}",
        f"test.accuracy_interval.low was 0.7, is {beyond}",
    ]


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    "group, name, tolerance",
    [
        ("val", "loss", LOSS_TOLERANCE),
        ("correct", "pointing_game", GALLERY_TOLERANCE),
        ("misclassified", "largest_drop", GALLERY_TOLERANCE),
    ],
)
def test_losses_and_measures_of_occlusion_have_tolerances_of_their_own(
    group, name, tolerance, sign
):
    def metrics(value):
        return {group: {name: value}}

    edge = round(0.5 + sign * tolerance, 4)
    assert beyond_tolerance(metrics(0.5), metrics(edge)) == []
    beyond = round(edge + sign * 0.0001, 4)
    assert beyond_tolerance(metrics(0.5), metrics(beyond)) == [
        f"{group}.{name} was 0.5, is {beyond}"
    ]


def test_the_best_epoch_and_a_gallery_are_free_and_other_counts_are_not():
    assert beyond_tolerance(METRICS, METRICS | {"best_epoch": 1}) == []
    assert beyond_tolerance({"correct": {"images": 50}}, {"correct": {"images": 45}}) == []
    tests = [{"val_test": {"rank_p": p, "error_distance": p, "rank_correlation": p}, "p_holm": p}
             for p in (0.01, 0.9, None)]  # fmt: skip
    assert all(beyond_tolerance(tests[0], other) == [] for other in tests)
    other = METRICS | {"parameters": 390603, "network": "q2"}
    assert beyond_tolerance(METRICS, other) == [
        "parameters was 390602, is 390603",
        "network was q1, is q2",
    ]


def test_a_value_that_only_one_has_is_one_too_many():
    assert beyond_tolerance({"accuracy": 0.0}, {}) == ["accuracy was 0.0, is None"]
    assert beyond_tolerance({}, {"loss": 0.0}) == ["loss was None, is 0.0"]
