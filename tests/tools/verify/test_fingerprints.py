"""Explanations of what differs between two machines."""

from tests.tools.verify.conftest import MACHINE
from tools.verify.fingerprints import explain, explain_all


def test_equal_fingerprints_need_no_explanation():
    assert explain(MACHINE, dict(MACHINE)) == []
    assert explain(None, None) == []


def test_every_value_that_differs_is_told():
    other = {**MACHINE, "processor": "B", "threads": 4, "torch": "2"}
    del other["device"]
    assert explain(MACHINE, other) == [
        "device was cpu, is None",
        "threads was 2, is 4",
        "processor was A, is B",
        "torch was None, is 2",
    ]


def test_of_processor_features_only_those_are_told_that_differ():
    other = {**MACHINE, "processor_features": "avx avx512f amx"}
    assert explain(MACHINE, other) == ["processor_features: now without avx2, with avx512f amx"]
    assert explain(other, MACHINE) == ["processor_features: now without avx512f amx, with avx2"]
    fewer = {**MACHINE, "processor_features": "avx"}
    assert explain(MACHINE, fewer) == ["processor_features: now without avx2"]


def test_a_fingerprint_that_was_not_kept_is_told():
    assert explain(None, MACHINE) == explain(MACHINE, None)
    assert explain(None, MACHINE) == ["one of the two runs kept no fingerprint"]


def test_a_line_that_holds_for_several_stages_is_told_once():
    before = {"split": MACHINE, "train_q1": MACHINE, "train_q2": MACHINE}
    after = {
        "split": MACHINE,
        "train_q1": {**MACHINE, "device": "cuda", "torch": "2"},
        "train_q2": {**MACHINE, "device": "cuda"},
    }
    assert explain_all(before, after, ["split", "train_q1", "train_q2"]) == [
        "device was cpu, is cuda (train_q1, train_q2)",
        "torch was None, is 2 (train_q1)",
    ]
    assert explain_all({}, before, list(before)) == [
        "one of the two runs kept no fingerprint (all stages)"
    ]
