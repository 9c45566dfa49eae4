"""The whole pipeline on photographs, a folder a class, which the project does not carry."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.conftest import ROOT, stages_run

PHOTOS = Path(os.environ.get("PHOTOS", ROOT.parent / "shared/photos")).absolute()
PER_CLASS = 65


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"there is no folder {PHOTOS}")
def test_an_experiment_on_photographs_runs_through(fresh_clone, tmp_path):
    clone = fresh_clone.copy(tmp_path / "project")
    source = {"source": "folder", "path": PHOTOS, "per_class": PER_CLASS}
    words = [word for key, value in source.items() for word in ("-S", f"download.{key}={value}")]
    assert len(stages_run(clone.dvc("exp", "run", *words))) == 15
    assert json.loads(clone.dvc("status", "--json")) == {}

    classes = json.loads((clone / "data/raw/source.json").read_text())["classes"]
    assert classes == sorted(path.name for path in PHOTOS.iterdir() if path.is_dir())
    images = np.load(clone / "data/raw/images.npy", mmap_mode="r")
    assert images.shape == (PER_CLASS * len(classes), 96, 96, 3)
    # two epochs on so few taught the shallow network a little: more than chance
    metrics = json.loads((clone / "metrics/q1.json").read_text())
    assert metrics["train"]["accuracy"] > 1.5 / len(classes)
