"""Runs of the pipeline on paper: the committed `dvc.lock` and what another run would change."""

import json
from copy import deepcopy

import pytest

from tests.conftest import ROOT
from tools.verify import locks
from tools.verify.committed import Run

MACHINE = {"device": "cpu", "threads": 2, "processor": "A", "processor_features": "avx avx2"}


@pytest.fixture
def run() -> Run:
    """The project's own last run, on one machine."""
    lock = locks.read(ROOT / "dvc.lock")
    metrics = {
        out: json.loads((ROOT / out).read_text())
        for stage in lock
        for out in locks.hashes(lock, stage, "outs")
        if out.startswith("metrics/")
    }
    return Run(lock, {stage: dict(MACHINE) for stage in lock}, metrics)


@pytest.fixture
def other(run) -> Run:
    """A copy of it to change."""
    return deepcopy(run)


def change(run: Run, *outs: str) -> None:
    """Give outs other bytes, for the stage that writes them and for those that read them."""
    for entry in run.lock.values():
        for item in (*entry["deps"], *entry["outs"]):
            if item["path"] in outs:
                item["md5"] = "f" * 32
