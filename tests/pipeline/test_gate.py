"""`make gate`: a fresh clone passes without data and cache; what is stale is named."""

import pytest

from tests.pipeline.conftest import Clone


@pytest.fixture
def bare(finished_clone, tmp_path) -> Clone:
    """A fresh clone of the finished one: what is in Git is there, and there is no cache."""
    finished_clone.git("clone", "--quiet", ".", str(tmp_path / "bare"))
    return Clone(tmp_path / "bare")


def gate(clone: Clone, code: int = 0) -> str:
    # the environment that runs the tests stands for the one that make would install
    own = "--old-file=.venv/installed", "BIN=$(dir $(shell which python))"
    return clone.call("make", "gate", *own, code=code)


def test_a_fresh_clone_passes_though_it_has_no_cache(bare):
    assert "up to date" in gate(bare)
    assert bare.git("status", "--porcelain") == ""


def test_line_ends_of_another_system_change_no_hash(finished_clone, tmp_path):
    """Git for Windows converts them by default."""
    origin, converted = str(finished_clone.folder), Clone(tmp_path / "converted")
    finished_clone.git("clone", "-q", "-c", "core.autocrlf=true", origin, str(converted.folder))
    assert "up to date" in gate(converted)


@pytest.mark.parametrize(
    ("path", "old", "new", "stage"),
    [
        ("stages/split/assign.py", "\n", "\n\n", "split"),
        ("stages/common/networks.py", "\n", "\n\n", "train_q1"),
        ("params.yaml", "stride: 32", "stride: 7", "occlusion"),
        ("dvc.yaml", "-m stages.train q2", "-m  stages.train q2", "train_q2"),
        ("dvc.yaml", "deps: [stages/download,", "deps: [stages/download, LICENSE,", "download"),
        ("metrics/augment.json", "901066", "901067", "evaluate@augment"),
    ],
    ids=["code", "common code", "param", "command", "dependency", "result"],
)
def test_the_first_stage_that_is_stale_is_named(bare, path, old, new, stage):
    text = (bare / path).read_text()
    assert old in text
    (bare / path).write_text(text.replace(old, new, 1))
    output = gate(bare, code=1)
    assert f"reproduce '{stage}'" in output or f"Running stage '{stage}'" in output
    assert "error: results do not belong to dvc.lock" in output


def test_a_stale_stage_whose_data_are_there_is_named_too(clone):
    assert "up to date" in gate(clone)
    clone.set_params({"occlusion": {"stride": 7}})
    assert "Running stage 'occlusion'" in gate(clone, code=1)


def test_without_a_lock_nothing_passes(bare):
    (bare / "dvc.lock").unlink()
    gate(bare, code=1)
