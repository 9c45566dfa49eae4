"""The command `python -m stages.evaluate`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stages.common import dataset
from stages.common.base.errors import InputError
from stages.common.inference import predict
from stages.evaluate.__main__ import main
from stages.evaluate.run import answer
from tests.conftest import CLASSES, snapshot

PLOTS = {
    "agreement.csv",
    "augmented.png",
    "classes.csv",
    "curves.csv",
    "curves.png",
    "galleries.csv",
    "gallery_correct.png",
    "gallery_misclassified.png",
    "reliability.csv",
    *(f"confusion_{split}.{kind}" for split in ("train", "val", "test") for kind in ("csv", "png")),
}


@pytest.fixture
def command(monkeypatch):
    """Return the stage as a function of the network, without a process of its own."""

    def call(network):
        monkeypatch.setattr("sys.argv", ["evaluate", network])
        main()

    yield call
    torch.use_deterministic_algorithms(False)


def test_the_command_writes_what_it_promises(study):
    model = study.write_model()
    before = snapshot("data", "models")
    result = study.run("evaluate", "q1")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in Path("plots/q1").iterdir()} == PLOTS
    assert {path.name for path in Path("plots").iterdir()} == {"q1"}
    assert [path.name for path in Path("metrics").iterdir()] == ["q1.json"]
    assert snapshot("data", "models") == before

    metrics = json.loads(Path("metrics/q1.json").read_text())
    assert list(metrics) == sorted(metrics)
    assert metrics["best_epoch"] == 2
    assert metrics["parameters"] == 390_602 - 8 * 129  # two classes, not ten
    assert metrics["multiply_accumulates"] == 103_835_936 - 8 * 128
    for split in ("train", "val", "test"):
        members = study.split == split
        scores = predict(model.network, study.images[members])
        actual = study.labels[members]
        accuracy = (scores.argmax(axis=1) == actual).mean()
        loss = -np.log(scores[np.arange(len(actual)), actual]).mean()
        assert metrics[split]["accuracy"] == round(accuracy, 4)
        both = scores + predict(model.network, study.images[members][:, :, ::-1].copy())
        with_tta = (both.argmax(axis=1) == actual).mean()
        assert metrics[split]["tta_accuracy"] == round(with_tta, 4)
        assert metrics[split]["loss"] == pytest.approx(loss, abs=2e-4)
        confusion = pd.read_csv(f"plots/q1/confusion_{split}.csv")
        assert list(confusion) == ["actual", "predicted"]
        assert confusion["actual"].tolist() == [CLASSES[label] for label in actual]
        assert confusion["predicted"].tolist() == [CLASSES[i] for i in scores.argmax(axis=1)]

        classes = pd.read_csv("plots/q1/classes.csv").query("split == @split")
        assert classes["class"].tolist() == CLASSES
        assert classes["f1"].mean() == pytest.approx(metrics[split]["macro_f1"], abs=6e-5)
        bins = pd.read_csv("plots/q1/reliability.csv").query("split == @split")
        assert bins["images"].sum() == classes["images"].sum() == len(actual)
        right = (bins["accuracy"] * bins["images"]).sum()
        assert right == pytest.approx(accuracy * len(actual), abs=1e-4)

    assert list(metrics["agreement"]) == ["train_test", "train_val", "val_test"]

    # the validation part has two images of each class, fewer than the five of a gallery
    table = pd.read_csv("plots/q1/galleries.csv")
    assert sorted(table["index"]) == [8, 9, 21, 22]
    for row in table.itertuples():
        scores = predict(model.network, study.images[[row.index]])[0]
        assert row.score == pytest.approx(scores.max(), abs=2e-6)
        assert row.predicted == CLASSES[scores.argmax()]
        assert row.actual == CLASSES[study.labels[row.index]]
        assert (row.gallery == "correct") == (row.actual == row.predicted)
    curves = pd.read_csv("plots/q1/curves.csv")
    pd.testing.assert_frame_equal(curves, pd.read_csv("models/q1/history.csv"))

    # and a second run in place of the first, in another process: the same bytes
    first = snapshot("plots", "metrics")
    Path("plots/q1/stale.png").touch()
    assert study.run("evaluate", "q1").returncode == 0
    assert snapshot("plots", "metrics") == first


@pytest.mark.parametrize(
    "classes, words",
    [
        (None, "models/q1/weights.safetensors is not there"),
        (["cat", "dog", "cow"], "models/q1 was trained on the classes cat, dog, cow.*dark, bright"),
    ],
)
def test_without_a_model_of_these_classes_nothing_is_written(study, command, classes, words):
    if classes:
        study.write_model(classes=classes)
    with pytest.raises(InputError, match=words):
        command("q1")
    assert not Path("plots").exists() and not Path("metrics").exists()


def test_a_failure_half_way_leaves_the_earlier_plots(study, command, monkeypatch):
    study.write_model()
    Path("plots/q1").mkdir(parents=True)
    Path("plots/q1/earlier.png").write_bytes(b"earlier")
    monkeypatch.setattr("stages.evaluate.draw.gallery", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command("q1")
    assert snapshot("plots") == {"plots/q1/earlier.png": b"earlier"}
    assert not Path("metrics").exists()


def test_test_time_augmentation_is_an_option_that_changes_nothing_else(study, command):
    study.write_model()
    command("q1")
    with_it, plots = json.loads(Path("metrics/q1.json").read_text()), snapshot("plots")
    study.write_params(evaluate={"test_time_augmentation": "none"})
    command("q1")
    without = json.loads(Path("metrics/q1.json").read_text())
    for split in ("train", "val", "test"):
        assert "tta_accuracy" not in without[split]
        with_it[split].pop("tta_accuracy")
    assert without == with_it and snapshot("plots") == plots


def test_test_time_augmentation_is_the_mean_with_the_image_mirrored_left_to_right(study):
    study.images[:, :, :40] //= 4  # no image is like its mirror image, or upside down
    study.images[:, 60:] //= 2
    study.write_raw()
    model, members = study.write_model(), np.array([3, 16, 25])
    images = study.images[members]
    plain, mirrored, overturned = (
        predict(model, images[:, ::down, ::right].copy())
        for down, right in ((1, 1), (1, -1), (-1, 1))
    )
    given = answer(model, dataset.load(), members, flip=True).augmented
    np.testing.assert_allclose(given, (plain + mirrored) / 2, atol=1e-6)
    for other in (plain, mirrored, (plain + overturned) / 2):
        assert np.abs(given - other).min() > 1e-4


def test_misclassified_images_may_be_listed_under_their_prediction(study, command):
    study.write_params(evaluate={"group_by": "predicted"})
    study.write_model()
    command("q1")
    table = pd.read_csv("plots/q1/galleries.csv")
    assert (table["class"] == table["predicted"]).all()
    assert (table["actual"] != table["predicted"]).any()
