"""Three ways in which a run compares with the committed one."""

import pytest

from tests.tools.verify.conftest import change
from tools.verify.committed import DIFFERENT, SAME_BYTES, SAME_METRICS, compare
from tools.verify.report import comparison, is_same, repetition, table

AFTER_Q1 = {"models/q1", "metrics/q1.json", "plots/q1", "metrics/occlusion.json",
            "plots/occlusion", "models/occlusion"}  # fmt: skip


def verdicts(committed, now) -> dict[str, str]:
    return {row.out: row.verdict for row in compare(committed, now)}


def reasons(committed, now) -> dict[str, str]:
    return {row.out: row.reason for row in compare(committed, now) if row.verdict == DIFFERENT}


def test_the_same_hashes_are_the_same_bytes_on_whatever_machine(run, other):
    for fingerprint in other.fingerprints.values():
        fingerprint["processor"] = "B"
    found = verdicts(run, other)
    assert set(found.values()) == {SAME_BYTES}
    assert AFTER_Q1 | {"data/raw", "data/split", "models/better"} <= found.keys()


def test_other_bytes_on_the_same_machine_are_different_however_close_the_metrics(run, other):
    change(other, *AFTER_Q1)
    found = verdicts(run, other)
    assert {out for out, verdict in found.items() if verdict == DIFFERENT} == AFTER_Q1
    assert SAME_METRICS not in found.values()
    assert reasons(run, other)["models/q1"] == "other bytes on the same kind of machine"
    assert reasons(run, other)["plots/q1"] == "follows from train_q1"


@pytest.mark.parametrize("absent", [False, True])
def test_other_bytes_on_another_machine_are_judged_by_all_metrics_downstream(run, other, absent):
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

    correct = other.metrics["metrics/occlusion.json"]["correct"]
    was = correct["object_share"]
    correct["object_share"] = was + 0.5
    found = verdicts(run, other)
    assert {out for out, verdict in found.items() if verdict == DIFFERENT} == AFTER_Q1
    words = f"metrics/occlusion.json: correct.object_share was {was}, is {was + 0.5}"
    assert reasons(run, other)["models/q1"] == words


def test_another_machine_excuses_only_the_stages_that_it_ran(run, other):
    change(other, "models/q1", "models/q2")
    other.fingerprints["train_q1"]["device"] = "cuda"
    found = verdicts(run, other)
    assert (found["models/q1"], found["models/q2"]) == (SAME_METRICS, DIFFERENT)


def test_metrics_that_do_not_follow_do_not_judge(run, other):
    change(other, "models/q1")
    other.fingerprints["train_q1"]["device"] = "cuda"
    other.metrics["metrics/q2.json"]["test"]["accuracy"] = 0.0
    assert verdicts(run, other)["models/q1"] == SAME_METRICS


def test_an_out_behind_all_metrics_is_judged_by_those_before_it(run, other):
    for one in (run, other):
        one.lock["report"] = {
            "cmd": "report",
            "deps": [{"path": "metrics/q2.json", "md5": "a"}],
            "outs": [{"path": "report", "md5": "a"}],
        }
        one.fingerprints["report"] = {}
    change(other, "models/q2", "metrics/q2.json", "report")
    other.fingerprints["train_q2"]["device"] = "cuda"
    assert verdicts(run, other)["report"] == SAME_METRICS
    other.metrics["metrics/q2.json"]["test"]["accuracy"] = 0.0
    assert verdicts(run, other)["report"] == DIFFERENT


def test_without_metrics_nothing_but_the_same_bytes_will_do(run, other):
    for one in (run, other):
        one.metrics.clear()
    change(other, "models/q1")
    other.fingerprints["train_q1"]["device"] = "cuda"
    assert reasons(run, other) == {"models/q1": "no metrics say whether it matters"}


def test_a_lock_of_other_code_is_told_as_such(run, other):
    change(other, "models/q1")
    other.fingerprints["train_q1"]["device"] = "cuda"
    run.lock["train_q1"]["cmd"] = "python train.py"
    assert reasons(run, other) == {"models/q1": "the committed dvc.lock has another cmd"}


def test_a_stage_that_only_one_has_is_different(run, other):
    del run.lock["train_better"]
    assert reasons(run, other) == {"models/better": "the committed dvc.lock lacks the stage"}
    assert reasons(other, run) == {"models/better": "no stage writes it any more"}


def test_the_table_has_a_line_for_each_out(run, other):
    change(other, "models/q1")
    other.fingerprints["train_q1"]["processor"] = "B"
    header, *lines = table(run, other, compare(run, other))
    assert header.split() == ["stage", "out", "second", "run", "committed", "run"]
    assert len(lines) == sum(len(entry["outs"]) for entry in run.lock.values())
    verdicts = {line.split()[1]: " ".join(line.split()[2:]) for line in lines}
    assert verdicts["models/q1"] == "different same metrics"
    assert verdicts["data/raw"] == "same bytes same bytes"
    assert {line.index(" " + line.split()[1]) for line in lines} == {header.index(" out")}


def test_only_the_same_bytes_twice_and_no_different_out_will_do(run, other):
    assert is_same(run, run, None)
    change(other, "models/q1")
    assert not is_same(run, other, None)
    assert not is_same(run, run, compare(other, run))
    other.fingerprints["train_q1"]["processor"] = "B"
    assert is_same(run, run, compare(other, run))


def test_two_equal_runs_are_told_in_one_line(run, other):
    [line] = repetition(run, other)
    assert line.startswith("two runs: the same dvc.lock, the same bytes in all ")


def test_two_unequal_runs_are_told_with_the_first_out_and_the_fingerprint(run, other):
    change(other, "plots/q1", "models/q1", "models/occlusion")
    assert repetition(run, other) == [
        "two runs: other bytes in 3 of the outs, first in models/q1 of train_q1",
        "  the fingerprints are the same, so the stage's code does not repeat itself",
    ]
    other.fingerprints["train_q1"]["threads"] = 4
    assert repetition(run, other)[1:] == ["  threads was 2, is 4"]


def test_code_that_changed_between_two_runs_is_told(run, other):
    other.lock["split"]["cmd"] = "python split.py"
    assert repetition(run, other) == [
        "two runs: the same outs, but the code or the params changed between them"
    ]


def test_the_comparison_counts_explains_and_names_what_is_different(run, other):
    change(other, "models/q1", "models/q2")
    other.fingerprints["train_q1"]["processor"] = "B"
    lines = comparison(run, other, compare(run, other))
    count = sum(len(entry["outs"]) for entry in run.lock.values()) - 2
    assert lines[0] == f"committed run: {count} same bytes, 1 same metrics, 1 different"
    assert lines[1].startswith("  tolerance of metrics: 0.")
    assert lines[2:] == [
        "  processor was A, is B (train_q1)",
        "  models/q2 of train_q2 is different: other bytes on the same kind of machine",
    ]
