"""How runs compare, on paper: the committed run and what another would change."""

import json
from copy import deepcopy

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tools.verify.__main__ import report
from tools.verify.clone import committed_doubts
from tools.verify.compare import (
    DIFFERENT,
    GALLERY_TOLERANCE,
    LOSS_TOLERANCE,
    SAME_BYTES,
    SAME_METRICS,
    SHARE_TOLERANCE,
    Run,
    beyond_tolerance,
    compare,
    doubts,
    explain,
)

PORTABLE = {"device": "cpu", "threads": 2, "processor": "A", "python": "3.11.1", "numpy": "2"}
PORTABLE |= {"kernels": "portable"}
FASTEST = {"kernels": "fastest, AVX512"}


@pytest.fixture
def run() -> Run:
    """The project's own last run, on one machine."""
    stages = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    metrics = {
        out: json.loads((ROOT / out).read_text()) for out in outs if out.startswith("metrics/")
    }
    return Run(outs, {stage: dict(PORTABLE) for stage in stages}, metrics)


@pytest.fixture
def other(run) -> Run:
    """A copy of it to change."""
    return deepcopy(run)


def found(committed: Run, now: Run, verdict: str) -> set[str]:
    return {row.out for row in compare(committed, now) if row.verdict == verdict}


def test_the_same_hashes_are_the_same_bytes_on_whatever_machine(run, other):
    for fingerprint in other.fingerprints.values():
        fingerprint |= {"device": "cuda", "kernels": "a GPU"}
    assert found(run, other, SAME_BYTES) == run.outs.keys()


@pytest.mark.parametrize(
    ("here", "exact"),
    [
        ({}, True),
        ({"processor": "B", "python": "3.11.9"}, True),
        ({"threads": 4}, False),
        ({"numpy": "3"}, False),
        (FASTEST, False),
        ({"device": "cuda", "kernels": "a GPU"}, False),
    ],
)
def test_portable_kernels_and_the_same_versions_call_for_the_same_bytes(run, other, here, exact):
    other.fingerprints["train_q1"] |= here
    other.outs["models/q1"] = other.outs["metrics/q1.json"] = "f"
    verdict = DIFFERENT if exact else SAME_METRICS
    assert found(run, other, verdict) == {"models/q1", "metrics/q1.json"}


def test_the_fastest_kernels_of_one_processor_excuse_other_bytes_too(run, other):
    """Not all that makes them choose is in a fingerprint."""
    for fingerprints in (run.fingerprints, other.fingerprints):
        fingerprints["train_q1"] |= FASTEST
    other.outs["models/q1"] = "f"
    assert found(run, other, SAME_METRICS) == {"models/q1"}


def test_a_metric_beyond_its_tolerance_is_different_on_whatever_machine(run, other):
    other.fingerprints["train_q1"]["device"] = "cuda"
    other.outs["metrics/q1.json"] = other.outs["models/q1"] = "f"
    other.metrics["metrics/q1.json"]["test"]["accuracy"] = 0.1
    assert found(run, other, DIFFERENT) == {"metrics/q1.json"}
    reason = next(row.reason for row in compare(run, other) if row.verdict == DIFFERENT)
    assert reason.startswith("test.accuracy was ") and reason.endswith(", is 0.1")


def test_an_out_that_only_one_has_is_different(run, other):
    del run.outs["models/better"]
    other.fingerprints["train_q1"]["device"] = "cuda"
    assert found(run, other, DIFFERENT) == {"models/better"}
    assert found(other, run, DIFFERENT) == {"models/better"}


def test_what_is_not_of_one_run_is_told(run):
    """A figure that was raised, a fingerprint that excuses it or is gone, one that was edited."""
    compute = {"threads": 2, "kernels": "portable"}
    stages, own = list(run.fingerprints), {"device": "cpu", "platform": "Linux x86_64"}
    for found in run.fingerprints.values():
        found |= own

    def told(changes: dict, locked=("numpy==2",)) -> list[str]:
        changed = deepcopy(run)
        for stage, values in changes.items():
            changed.fingerprints[stage] |= values
        return doubts(changed, stages, locked, compute)

    assert told({}) == told({"split": {"processor": "B", "python": "3.11.9"}}) == []
    assert len(told({}, locked=("numpy==3",))) == len(stages)
    for spoilt in ({"device": "cuda"}, {"threads": 4}, {"numpy": "1"}, FASTEST):
        assert told({"train_q1": spoilt})[0].startswith("fingerprints/")
    assert told({stage: FASTEST | {"threads": 4} for stage in stages})
    run.metrics["metrics/q1.json"]["test"]["accuracy"] += 0.07
    assert told({})[0].startswith("metrics/summary.json: test_accuracy of q1 is ")
    del run.fingerprints["split"]
    assert told({})[0] == "fingerprints/split.json is missing"


def test_the_committed_results_are_of_one_run():
    assert committed_doubts(ROOT) == []


def test_the_report_has_a_line_for_each_out_and_tells_why_some_differ(run, other):
    other.outs["models/q1"] = "f"
    other.fingerprints["train_q1"]["threads"] = other.fingerprints["report"]["threads"] = 4
    *lines, counted, tolerance, why = report(run, other, compare(run, other))
    assert [line.split()[0] for line in lines] == list(run.outs)
    assert counted == f"{len(run.outs) - 1} same bytes, 1 same metrics"
    assert str(SHARE_TOLERANCE) in tolerance
    assert why == "threads was 2, is 4"


def test_of_fingerprints_only_what_differs_is_told(run, other):
    assert explain(run, other) == []
    other.fingerprints["split"]["numpy"] = "3"
    assert explain(run, other) == ["numpy was 2, is 3"]
    assert len(explain(Run({}, {}, {}), run)) == len(PORTABLE)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("group", "name", "tolerance"),
    [
        ("test", "accuracy", SHARE_TOLERANCE),
        ("val", "loss", LOSS_TOLERANCE),
        ("correct", "pointing_game", GALLERY_TOLERANCE),
    ],
)
def test_a_metric_may_differ_by_its_tolerance_and_no_more(group, name, tolerance, sign):
    edge, beyond = (round(0.5 + sign * (tolerance + more), 4) for more in (0, 0.0001))
    assert beyond_tolerance({group: {name: 0.5}}, {group: {name: edge}}) == []
    assert len(beyond_tolerance({group: {name: 0.5}}, {group: {name: beyond}})) == 1


def test_the_best_epoch_and_tests_are_free_and_other_counts_are_not():
    free = {"best_epoch": 8, "correct": {"images": 50}, "val_test": {"rank_p": 0.01}}
    others = {"best_epoch": 1, "correct": {"images": 45}, "val_test": {"rank_p": None}}
    assert beyond_tolerance(free, others) == []
    steps = [
        {"correct": {"size_effect": {"8_16": {"rises": n, "falls": 9, "p": 0.1}}}} for n in (3, 4)
    ]
    assert beyond_tolerance(*steps) == []
    counts = {"parameters": 390602, "network": "q1"}
    assert len(beyond_tolerance(counts, {"parameters": 390603, "network": "q2"})) == 2
    assert len(beyond_tolerance({"accuracy": 0.0}, {"loss": 0.0})) == 2
