"""A stage that cannot write ends in one line, and leaves the earlier results as they were."""

from pathlib import Path

import pytest

from tests.conftest import assert_one_line, snapshot

pytest.importorskip("resource", reason="no limits of a process on this system")
OUTS = ("data", "models", "metrics", "plots")


@pytest.fixture
def finished(study):
    """A study in which each stage has run once."""
    commands = [("split",), ("train", "q1"), ("evaluate", "q1"), ("occlusion",)]
    for command in commands:
        result = study.run(*command)
        assert result.returncode == 0, result.stderr
    return study


def test_no_stage_leaves_half_a_result(finished):
    before = snapshot(*OUTS)
    finished.write_params(split={"seed": 1}, train={"seed": 1}, occlusion={"fill": 0})
    for command, largest_file in [
        (("split",), 100),
        (("train", "q1"), 100_000),
        (("evaluate", "q1"), 10_000),
        (("occlusion",), 10_000),
    ]:
        result = finished.run(*command, largest_file=largest_file)
        assert_one_line(result, "File too large")
        assert snapshot(*OUTS) == before, command
    assert not [path for out in OUTS for path in Path(out).rglob("*.partial")]
