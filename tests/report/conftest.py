"""A tiny study up to the report: its four networks measured, its heatmaps drawn."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.common.study import NETWORKS
from stages.compare.__main__ import main as compare
from stages.evaluate.__main__ import main as evaluate
from stages.occlusion.__main__ import main as occlusion
from stages.split.__main__ import main as split
from tests.conftest import Study

torch.set_num_threads(1)  # the tensors are tiny


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A folder in which all stages before the report have run."""
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        study = Study()
        masks = np.zeros((len(study.labels), 96, 96), bool)
        masks[:, :40] = True  # of what a patch of 48 can point at, the upper half
        np.save("data/raw/masks.npy", masks)
        patch.setattr(sys, "argv", ["split"])
        split()
        for seed, name in enumerate(NETWORKS):
            study.write_model(name, seed=seed)
            patch.setattr(sys, "argv", ["evaluate", name])
            evaluate()
        for stage in (occlusion, compare):
            patch.setattr(sys, "argv", [stage.__module__])
            stage()
        torch.use_deterministic_algorithms(False)
    return folder


@pytest.fixture
def finished(measured, tmp_path, monkeypatch) -> Path:
    """A copy of it, which is the current folder, for one test to change."""
    folder = tmp_path / "project"
    shutil.copytree(measured, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["report"])
    return folder
