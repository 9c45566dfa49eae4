"""Order and differences of locks."""

import pytest

from tests.conftest import ROOT
from tests.tools.verify.conftest import change
from tools.verify import locks


def test_a_lock_that_is_not_there_has_no_stages(tmp_path):
    assert locks.read(tmp_path / "dvc.lock") == {}
    assert "train_q1" in locks.read(ROOT / "dvc.lock")


def test_the_producer_of_a_path_is_the_stage_whose_out_it_is_or_lies_in(run):
    assert locks.producer(run.lock, "data/raw") == "download"
    assert locks.producer(run.lock, "plots/q1/galleries.csv") == "evaluate@q1"
    assert locks.producer(run.lock, "plots/q10") is None
    assert locks.producer(run.lock, "stages/train") is None


def test_a_stage_comes_after_all_that_it_reads_from(run):
    order = locks.order(dict(reversed(run.lock.items())))
    assert sorted(order) == sorted(run.lock)
    for before, after in [
        ("download", "split"),
        ("split", "train_q1"),
        ("train_q1", "evaluate@q1"),
        ("evaluate@q1", "occlusion"),
        ("train_better", "evaluate@better"),
    ]:
        assert order.index(before) < order.index(after)


def test_what_is_reached_goes_through_other_stages(run):
    after = locks.reach(locks.downstream(run.lock), "train_q1")
    assert {"train_q1", "evaluate@q1", "occlusion"} <= after
    assert not after & {"download", "split", "train_q2", "evaluate@q2"}
    before = locks.reach(locks.upstream(run.lock), "evaluate@q2")
    assert before == {"download", "split", "train_q2", "evaluate@q2"}


def test_equal_locks_have_no_changed_outs(run, other):
    assert locks.changed_outs(run.lock, other.lock) == []


def test_changed_outs_come_in_pipeline_order(run, other):
    change(other, "models/occlusion", "metrics/q1.json", "models/q1")
    reverse = dict(reversed(other.lock.items()))
    assert locks.changed_outs(run.lock, reverse) == [
        ("train_q1", "models/q1"),
        ("evaluate@q1", "metrics/q1.json"),
        ("occlusion", "models/occlusion"),
    ]


def test_an_out_that_the_first_lock_lacks_is_changed(run, other):
    del run.lock["download"]
    assert locks.changed_outs(run.lock, other.lock) == [("download", "data/raw")]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda entry: entry.update(cmd="python -m stages.train q2"), ["cmd"]),
        (lambda entry: entry["params"]["params.yaml"]["train"].update(lr=1), ["params"]),
        (
            lambda entry: [
                dep.update(md5="f" * 32) for dep in entry["deps"] if dep["path"] == "stages/train"
            ],
            ["stages/train"],
        ),
        (lambda entry: entry["deps"].append({"path": "LICENSE", "md5": "f"}), ["LICENSE"]),
    ],
)
def test_inputs_are_the_command_the_params_and_the_code(run, other, spoil, expected):
    change(other, "data/raw")  # another stage's out is no input of the pipeline
    assert locks.changed_inputs(run.lock, other.lock, "train_q1") == []
    spoil(other.lock["train_q1"])
    assert locks.changed_inputs(run.lock, other.lock, "train_q1") == expected
    assert locks.changed_inputs(other.lock, run.lock, "train_q1") == expected
