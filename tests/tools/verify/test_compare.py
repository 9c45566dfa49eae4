"""How runs compare, on paper: the committed `dvc.lock` and what another run would change."""

import json
from copy import deepcopy

import pytest

from tests.conftest import ROOT
from tools.verify.__main__ import comparison, repetition, table
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
    explain,
    read_lock,
)

MACHINE = {"device": "cpu", "threads": 2, "processor": "A", "processor_features": "avx avx2"}
AFTER_Q1 = {"models/q1", "metrics/q1.json", "plots/q1", "metrics/occlusion.json",
            "plots/occlusion", "models/occlusion"}  # fmt: skip


@pytest.fixture
def run() -> Run:
    """The project's own last run, on one machine."""
    lock = read_lock(ROOT / "dvc.lock")
    outs = [out["path"] for entry in lock.values() for out in entry["outs"]]
    metrics = {
        out: json.loads((ROOT / out).read_text()) for out in outs if out.startswith("metrics/")
    }
    return Run(lock, {stage: dict(MACHINE) for stage in lock}, metrics)


@pytest.fixture
def other(run) -> Run:
    """A copy of it to change."""
    return deepcopy(run)


def change(run: Run, *outs: str) -> None:
    """Return outs other bytes, for the stage that writes them and for those that read them."""
    for entry in run.lock.values():
        for item in (*entry["deps"], *entry["outs"]):
            if item["path"] in outs:
                item["md5"] = "f" * 32


def verdicts(committed: Run, now: Run) -> dict[str, str]:
    return {row.out: row.verdict for row in compare(committed, now)}


def reasons(committed: Run, now: Run) -> dict[str, str]:
    return {row.out: row.reason for row in compare(committed, now) if row.verdict == DIFFERENT}


def test_the_same_hashes_are_the_same_bytes_on_whatever_machine(run, other):
    for fingerprint in other.fingerprints.values():
        fingerprint["processor"] = "B"
    found = verdicts(run, other)
    assert set(found.values()) == {SAME_BYTES}
    assert AFTER_Q1 | {"data/raw", "data/split", "models/better"} <= found.keys()


def test_each_stage_comes_after_those_that_it_reads_from(run):
    stages = [stage for stage, _, _ in Run(dict(reversed(run.lock.items())), {}, {}).outs()]
    for before, after in [("download", "split"), ("train_q1", "evaluate@q1"),
                          ("evaluate@q1", "occlusion"), ("evaluate@better", "compare"),
                          ("compare", "report")]:  # fmt: skip
        assert stages.index(before) < stages.index(after)


def test_other_bytes_on_the_same_machine_are_different_however_close_the_metrics(run, other):
    change(other, *AFTER_Q1)
    assert reasons(run, other).keys() == AFTER_Q1
    assert SAME_METRICS not in verdicts(run, other).values()
    assert reasons(run, other)["plots/q1"] == "follows from train_q1"


@pytest.mark.parametrize("absent", [False, True])
def test_other_bytes_on_another_machine_are_judged_by_the_metrics(run, other, absent):
    change(other, *AFTER_Q1)
    if absent:
        del run.fingerprints["train_q1"]
    else:
        other.fingerprints["train_q1"]["processor"] = "B"
    other.metrics["metrics/q1.json"]["test"]["accuracy"] += 0.01
    found = verdicts(run, other)
    # what follows from the other machine's weights is excused too
    assert {out for out, verdict in found.items() if verdict == SAME_METRICS} == AFTER_Q1
    assert DIFFERENT not in found.values()
    other.metrics["metrics/q1.json"]["test"]["accuracy"] = 0.1
    assert reasons(run, other).keys() == {"metrics/q1.json"}


def test_another_machine_excuses_only_the_stages_that_it_ran(run, other):
    change(other, "models/q1", "models/q2")
    other.fingerprints["train_q1"]["device"] = "cuda"
    found = verdicts(run, other)
    assert (found["models/q1"], found["models/q2"]) == (SAME_METRICS, DIFFERENT)


def test_without_metrics_nothing_but_the_same_bytes_will_do(run, other):
    other.metrics.clear()
    change(other, "models/q1")
    other.fingerprints["train_q1"]["device"] = "cuda"
    assert reasons(run, other).keys() == {"models/q1"}


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda entry: entry.update(cmd="python train.py"), "cmd"),
        (lambda entry: entry["params"]["params.yaml"]["train"].update(lr=1), "params"),
        (lambda entry: entry["deps"].append({"path": "stages/more", "md5": "f"}), "stages/more"),
    ],
)
def test_a_lock_of_other_code_or_params_is_told_as_such(run, other, spoil, named):
    change(other, "models/q1")
    other.fingerprints["train_q1"]["device"] = "cuda"
    spoil(run.lock["train_q1"])
    assert named in reasons(run, other)["models/q1"]


def test_a_stage_that_only_one_has_is_different(run, other):
    del run.lock["train_better"]
    assert "lacks the stage" in reasons(run, other)["models/better"]
    assert "no stage writes it" in reasons(other, run)["models/better"]


def test_the_report_tells_of_each_out_and_of_the_first_that_differs(run, other):
    change(other, "plots/q1", "models/q1")
    other.fingerprints["train_q1"]["threads"] = 4
    header, *lines = table(run, other, compare(run, other))
    assert len(lines) == len(list(run.outs()))
    found = {line.split()[1]: " ".join(line.split()[2:]) for line in lines}
    assert found["models/q1"] == "different same metrics"
    assert found["data/raw"] == "same bytes same bytes"
    first, why = repetition(run, other)
    assert "2 of the outs, first in models/q1 of train_q1" in first and "threads was 2" in why
    assert len(repetition(run, run)) == 1
    assert "  threads was 2, is 4 (train_q1)" in comparison(run, other, compare(run, other))


def test_of_fingerprints_only_what_differs_is_told():
    assert explain(MACHINE, dict(MACHINE)) == explain(None, None) == []
    assert len(explain(None, MACHINE)) == 1
    found = explain(MACHINE, MACHINE | {"threads": 4, "processor_features": "avx amx"})
    assert found == ["threads was 2, is 4", "processor_features: now without avx2, with amx"]


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
    counts = {"parameters": 390602, "network": "q1"}
    assert len(beyond_tolerance(counts, {"parameters": 390603, "network": "q2"})) == 2
    assert len(beyond_tolerance({"accuracy": 0.0}, {"loss": 0.0})) == 2
