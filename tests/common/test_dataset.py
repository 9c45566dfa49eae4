"""The data set as the stages after `split` see it."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.common import dataset
from stages.common.base.errors import InputError
from tests.conftest import CLASSES


def test_everything_comes_from_the_two_folders(study):
    data = dataset.load()
    assert isinstance(data.images, np.memmap)
    assert np.array_equal(data.images, study.images)
    assert data.labels.dtype == np.int64 and data.labels.tolist() == study.labels.tolist()
    assert data.classes == CLASSES
    assert list(data.splits) == ["train", "val", "test"]
    assert data.splits["val"].tolist() == [8, 9, 21, 22]
    assert data.splits["test"].tolist() == [10, 11, 12, 23, 24, 25]
    members = np.concatenate(list(data.splits.values()))
    assert sorted(members.tolist()) == list(range(26))
    statistics = json.loads(Path("data/split/statistics.json").read_text())
    assert data.mean.tolist() == statistics["mean"] and data.std.tolist() == statistics["std"]


def test_a_split_of_other_images_is_refused(study):
    study.images, study.labels = study.images[:20], study.labels[:20]
    study.write_raw()
    with pytest.raises(InputError, match="split.csv lists 26 images.*holds 20") as caught:
        dataset.load()
    assert "dvc repro" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["data/raw/source.json", "data/split/statistics.json"])
def test_a_missing_description_is_named(study, file):
    Path(file).unlink()
    with pytest.raises(InputError, match=f"{file} is not there"):
        dataset.load()
