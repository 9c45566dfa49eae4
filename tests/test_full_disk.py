"""A stage on a full disk ends in one line, and leaves the earlier results as they were."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Study, assert_one_line, snapshot
from tests.disk import Disk, mounted

OUTS = ("data/raw", "data/split", "models/q1", "models/occlusion", "metrics", "plots")
STAGES = ("split", "train q1", "evaluate q1", "occlusion")


def run(disk: Disk, command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*disk.enter, sys.executable, "-m", *f"stages.{command}".split()],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk with a study in the current folder: each stage has run, and would now change all."""
    folder = tmp_path_factory.mktemp("full") / "disk"
    with mounted(folder, "32m") as disk, pytest.MonkeyPatch.context() as patch:
        patch.chdir(disk.project)
        study = Study()
        for command in STAGES:
            result = run(disk, command)
            assert result.returncode == 0, result.stderr
        study.write_params(
            download={"per_class": 13},
            split={"seed": 1},
            train={"seed": 1},
            evaluate={"group_by": "predicted"},
            occlusion={"fill": 0},
        )
        yield disk


def assert_ends_in_one_line(disk: Disk, command: str, free: int, where: str) -> None:
    """Check what a stage says with so many bytes free, and that it changes nothing."""
    before = snapshot(*OUTS)
    disk.fill(free)
    result = run(disk, command)
    disk.empty()
    assert_one_line(result, "No space left on device", where)
    assert snapshot(*OUTS) == before
    assert not list(Path().rglob("*.partial"))


@pytest.mark.parametrize(
    ("command", "free", "where"),
    [
        ("download", 10**6, "data/raw"),
        ("split", 4096, "data/.split.partial/"),  # room for one of its two files
        ("train q1", 10**6, "models/.unfinished/q1.safetensors"),
        ("evaluate q1", 10**5, "plots/.q1.partial/"),
        ("occlusion", 10**5, "plots/.occlusion.partial/"),
    ],
)
def test_a_full_disk_ends_a_stage_in_one_line_and_changes_nothing(disk, command, free, where):
    assert_ends_in_one_line(disk, command, free, where)


def test_a_training_whose_model_found_no_room_is_not_lost(disk):
    assert_ends_in_one_line(disk, "train q1", 7 * 10**6, "models/.q1.partial/")
    result = run(disk, "train q1")
    assert result.returncode == 0, result.stderr
    assert "q1: an earlier run was stopped: going on after its epoch 1" in result.stdout
