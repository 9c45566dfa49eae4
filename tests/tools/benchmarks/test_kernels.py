"""An epoch with either kernels, in a process of its own."""

import os

import pytest

from tests.conftest import ROOT
from tools.benchmarks import kernels


def test_both_kernels_train_the_same(study, monkeypatch):
    folder = os.getcwd()
    monkeypatch.chdir(ROOT)  # where the command is called
    runs = [kernels.call(folder, "q2", kind, {}) for kind in ("portable", "fastest")]
    assert runs[0]["loss"] == pytest.approx(runs[1]["loss"], rel=kernels.TOLERANCE)
    assert min(run["seconds"] for run in runs) > 0
