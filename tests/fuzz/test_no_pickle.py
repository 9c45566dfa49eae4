"""No pickle is ever read: no reader runs what is in a file."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stages.common import dataset, inference
from stages.common.base import files, params
from stages.common.base.errors import InputError
from stages.download import folder as folder_source
from stages.download import npz, stl10
from stages.split.params import Split
from tests.conftest import assert_one_line
from tests.download.test_npz import Harmful


def objects(save, **names) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **names)
    return buffer.getvalue()


def torch_saved(**options) -> bytes:
    buffer = io.BytesIO()
    torch.save({"conv1.weight": Harmful()}, buffer, **options)
    return buffer.getvalue()


def array(shape=(3,)) -> np.ndarray:
    return np.full(shape, Harmful(), dtype=object)


BOMBS = {
    "pickle": lambda: pickle.dumps(Harmful()),
    "old pickle": lambda: pickle.dumps(Harmful(), protocol=0),
    "array": lambda: objects(np.save, arr=array(), allow_pickle=True),
    "images": lambda: objects(np.save, arr=array((26, 96, 96, 3)), allow_pickle=True),
    "arrays": lambda: objects(np.savez, **{f"arr_{number}": array() for number in range(6)}),
    "torch": lambda: torch_saved(),
    "old torch": lambda: torch_saved(_use_new_zipfile_serialization=False),
    "frame": lambda: pickle.dumps(pd.DataFrame({"index": [Harmful()]})),
    "yaml": lambda: b"split: !!python/object/apply:pathlib.Path.touch [unpickled]\n",
    "json": lambda: json.dumps({"py/reduce": [{"py/function": "os.system"}, ["x"]]}).encode(),
}
# each file that a stage reads, and what reads it
READERS = {
    "params.yaml": lambda path: params.read(Split, "split"),
    "data/course/hw3.npz": lambda path: npz.open_source(str(path), None),
    "data/photos/a/0.png": lambda path: list(folder_source.open_source("data/photos", None).images),
    "data/archive.tar.gz": lambda path: stl10.open_source(str(path), None, {}, ()),
    "data/raw/images.npy": lambda path: dataset.load(),
    "data/raw/labels.npy": files.read_array,
    "data/raw/masks.npy": files.read_array,
    "data/split/split.csv": lambda path: dataset.load(),
    "models/q1/weights.safetensors": lambda path: inference.load(path.parent),
    "models/occlusion/heatmaps.npz": files.read_arrays,
}


@pytest.mark.parametrize("bomb", sorted(BOMBS.keys() - {"yaml", "json"}))
def test_the_bombs_go_off_where_pickles_are_read(study, bomb):
    content = BOMBS[bomb]()
    if bomb.endswith("torch"):
        torch.load(io.BytesIO(content), weights_only=False)
    elif content.startswith(b"PK"):
        dict(np.load(io.BytesIO(content), allow_pickle=True))
    else:
        np.load(io.BytesIO(content), allow_pickle=True)
    assert Path("unpickled").exists()


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("file", READERS)
def test_no_reader_runs_what_a_file_holds(study, file, bomb):
    study.write_model()
    Path("data/photos/b").mkdir(parents=True)
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(BOMBS[bomb]())
    with pytest.raises(InputError) as caught:
        READERS[file](path)
    assert str(caught.value).isprintable()
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    "bomb, file, command",
    [
        ("images", "data/raw/images.npy", ["split"]),
        ("array", "data/raw/labels.npy", ["split"]),
        ("torch", "models/q1/weights.safetensors", ["evaluate", "q1"]),
    ],
)
def test_a_stage_ends_in_one_line(study, bomb, file, command):
    np.save("data/raw/labels.npy", study.labels.astype(np.uint8))
    study.write_model()
    Path(file).write_bytes(BOMBS[bomb]())
    assert_one_line(study.run(*command), file)
    assert not Path("unpickled").exists()
