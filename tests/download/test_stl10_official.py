"""The real files of STL-10, in each form that they may be given in, against torchvision."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torchvision.datasets import STL10

from stages.download import stl10
from tests.conftest import ROOT

TILES = Path(os.environ.get("STL10", ROOT.parent / "shared/stl10"))
pytestmark = pytest.mark.skipif(
    not (TILES / "build.py").is_file(),
    reason=f"no real images: {TILES} is not there; STL10=/path/to/folder names another place",
)


@pytest.fixture(scope="module")
def official(tmp_path_factory) -> Path:
    """A folder with the archive and what it is unpacked into."""
    folder = tmp_path_factory.mktemp("official")
    subprocess.run([sys.executable, TILES / "build.py", folder], check=True)
    return folder


def torchvision(official: Path, monkeypatch, **which) -> STL10:
    # the unlabelled images are not there, and it would miss them
    monkeypatch.setattr(STL10, "_check_integrity", lambda self: True)
    return STL10(official, **which)


@pytest.mark.parametrize("form", ["archive", "address", "folder", "parent"])
def test_every_image_and_label_is_that_of_torchvision(official, project, site, monkeypatch, form):
    archive = official / "stl10_binary.tar.gz"
    match form:
        case "archive":
            path = archive
        case "address":
            path = site(archive.read_bytes()).url
        case "folder":
            path = official / "stl10_binary"
        case "parent":
            path = official
    source = stl10.open_source(str(path), None)
    start = 0
    for split, count in (("test", 8000), ("train", 5000)):
        expected = torchvision(official, monkeypatch, split=split)
        for index in range(count):
            image, _ = next(source.images)
            assert np.array_equal(image, expected.data[index].transpose(1, 2, 0)), (split, index)
        assert np.array_equal(source.labels[start : start + count], expected.labels)
        start += count
    assert next(source.images, None) is None
    known = dict(STL10.test_list + STL10.train_list)
    folds = source.checksums.pop("fold_indices.txt")
    assert source.checksums == {n: f"md5:{known[n]}" for n in known if n != "unlabeled_X.bin"}
    assert folds == "md5:4bbf8cd098ab9f87fe03fbcb37c06b28"
    assert source.folds.shape == (10, 1000)


def call(module: str) -> str:
    command, environment = [sys.executable, "-m", module], os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def split(official: Path, **changes: str) -> None:
    """Call the first two stages on the real files, with a few params changed."""
    params = (ROOT / "params.yaml").read_text()
    changes |= {"source: sample": "source: stl10", "path: null": f"path: {official}"}
    for key, value in changes.items():
        assert key in params
        params = params.replace(key, value, 1)
    Path("params.yaml").write_text(params)
    call("stages.download")
    call("stages.split")


def test_the_committed_near_duplicates_are_those_found(official, project):
    split(official)
    found = pd.read_csv(io.StringIO(call("tools.near_duplicates")))
    committed = pd.read_csv(ROOT / "experiments/near_duplicates.csv")
    # rounding may tell two equal scores apart
    order = ["first", "second"]
    found, committed = (each.sort_values(order, ignore_index=True) for each in (found, committed))
    pd.testing.assert_frame_equal(found, committed, atol=1e-3)


def test_a_fold_is_that_of_torchvision(official, project, monkeypatch):
    split(official, **{"protocol: auto": "protocol: source", "fold: null": "fold: 7"})
    parts = pd.read_csv("data/split/split.csv")
    assert parts["split"].value_counts().to_dict() == {"test": 8000, "val": 4000, "train": 1000}
    images = np.load("data/raw/images.npy", mmap_mode="r")
    train = np.flatnonzero(parts["split"] == "train")
    expected = torchvision(official, monkeypatch, split="train", folds=7)
    found = {images[index].tobytes(): parts["label"][index] for index in train}
    assert found == {
        image.transpose(1, 2, 0).tobytes(): label
        for image, label in zip(expected.data, expected.labels, strict=True)
    }
