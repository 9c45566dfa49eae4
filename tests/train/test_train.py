"""The command `python -m stages.train`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stages.common import dataset, inference
from stages.common.base.errors import InputError
from stages.train.__main__ import main
from tests.conftest import assert_one_line, snapshot


def test_two_runs_in_two_folders_are_the_same_bytes(study, tmp_path, monkeypatch):
    study.write_params(train={"epochs": 3, "lr": 0.00003, "normalize": "channels", "flip": 0.5})
    result = study.run("train", "q1")
    assert result.returncode == 0, result.stderr
    first = snapshot("models")
    files = ("augmented.npy", "history.csv", "weights.safetensors")
    assert sorted(first) == [f"models/q1/{file}" for file in files]
    lines = result.stdout.splitlines()
    assert lines[0].startswith("device cpu · threads 1")
    assert sum(" epoch " in line and "s left" in line for line in lines) == 3

    # what was kept is the best epoch's network
    history = pd.read_csv("models/q1/history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert b"\r" not in first["models/q1/history.csv"]
    order = history.sort_values(
        ["val_accuracy", "val_loss", "epoch"], ascending=[False, True, True]
    )
    best = order.iloc[0]
    data, model = dataset.load(), inference.load("models/q1")
    assert model.epoch == best["epoch"]
    assert model.classes == data.classes
    np.testing.assert_allclose([model.mean, model.std], [data.mean, data.std])
    for split in ("train", "val", "test"):
        members = data.splits[split]
        predicted = inference.predict(model, data.images[members]).argmax(axis=1)
        accuracy = (predicted == data.labels[members]).mean()
        assert accuracy == pytest.approx(best[f"{split}_accuracy"], abs=1e-6)

    # and the first image of each class, as the three epochs were given it
    views = np.load("models/q1/augmented.npy")
    assert views.shape == (2, 4, 96, 96, 3)
    np.testing.assert_array_equal(views[:, 0], study.images[[0, 13]])
    mirrored = (views[:, 1:] == views[:, :1, :, ::-1]).all(axis=(2, 3, 4))
    assert (mirrored | (views[:, 1:] == views[:, :1]).all(axis=(2, 3, 4))).all()

    other = tmp_path / "another folder"
    other.mkdir()
    for name in ("data", "params.yaml"):
        Path(name).rename(other / name)
    monkeypatch.chdir(other)
    result = study.run("train", "q1", PYTHONHASHSEED="7", LC_ALL="C", TZ="Asia/Tokyo")
    assert result.returncode == 0, result.stderr
    assert snapshot("models") == first


@pytest.fixture
def command(monkeypatch):
    """Return the stage as a function of the network, without a process of its own."""

    def call(network):
        monkeypatch.setattr("sys.argv", ["train", network])
        main()

    yield call
    torch.use_deterministic_algorithms(False)


def test_the_history_does_not_round_a_small_learning_rate_to_nothing(study, command):
    study.write_params(train={"lr": 1e-7, "schedule": "constant"})
    command("q1")
    assert pd.read_csv("models/q1/history.csv")["lr"].tolist() == [pytest.approx(1e-7)]


@pytest.mark.parametrize(
    "stage, changes, parts",
    [
        ("train q1", {"train": {"epochs": -1}}, ["train.epochs is -1", "greater than"]),
        (
            "train q1",
            {"train": {"epoch": 3}},
            ["train.epoch is not", "nearest known key is epochs"],
        ),
        ("train q1", {"train_q1": {"lr": "fast"}}, ["train_q1.lr is 'fast'", "number"]),
        ("train q1", {"train": {"sizes": [64]}}, ["sizes is [64]", "ShallowCNN", "96 pixels"]),
        ("train better", {"train_better": {"erase": 97}}, ["train_better.erase is 97"]),
        ("train q1", {"compute": {"device": "gpu"}}, ["compute.device is 'gpu'", "cuda"]),
        ("evaluate q1", {"evaluate": {"group_by": "class"}}, ["evaluate.group_by is 'class'"]),
        ("occlusion", {"occlusion": {"patches": []}}, ["occlusion.patches is []"]),
        ("split", {"split": {"parts": [1, 0, 1]}}, ["split.parts.1 is 0"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_params_end_in_one_line_before_torch_is_loaded(study, stage, changes, parts):
    study.write_params(**changes)
    before = snapshot(".")
    result = study.run(*stage.split(), python=["-X", "importtime"])
    lines = result.stderr.splitlines(keepends=True)
    modules = [line.split("|")[-1].strip() for line in lines if line.startswith("import time:")]
    result.stderr = "".join(line for line in lines if not line.startswith("import time:"))
    assert_one_line(result, "params.yaml: ", *parts)
    assert "pydantic" in modules
    heavy = {"torch", "pandas", "matplotlib", "sklearn", "scipy", "torchvision"}
    assert not heavy & {module.split(".")[0] for module in modules}
    assert snapshot(".") == before


def test_data_that_is_not_there_is_named_and_nothing_written(study, command):
    Path("data/split/statistics.json").unlink()
    with pytest.raises(InputError, match="data/split/statistics.json is not there"):
        command("q1")
    assert not Path("models").exists()
