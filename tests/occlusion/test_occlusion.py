"""The command `python -m stages.occlusion`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stages.common.base.errors import InputError
from stages.common.inference import logits
from stages.occlusion.__main__ import main
from stages.occlusion.fills import filled
from stages.occlusion.measures import target_maps
from stages.occlusion.run import Maps, sheet_row
from stages.occlusion.sensitivity import occluded_logits, occlusion_maps
from tests.conftest import CLASSES, snapshot

# (gallery, class, rank, index): three right, one wrong
GALLERY = [("correct", 0, 1, 8), ("correct", 0, 2, 9), ("correct", 1, 1, 21)]
GALLERY += [("misclassified", 1, 1, 22)]
FILLS = ["mean", "gray", "black", "blur", "noise"]


@pytest.fixture
def command(study):
    """The stage as a function, without a process of its own."""
    yield main
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def model(study):
    """Write a model and its galleries."""
    model = study.write_model()
    rows = [
        {"gallery": gallery, "class": CLASSES[label], "rank": rank, "index": index}
        | {"actual": CLASSES[label], "predicted": CLASSES[label], "score": 0.9}
        for gallery, label, rank, index in GALLERY
    ]
    Path("plots/q1").mkdir(parents=True)
    pd.DataFrame(rows).to_csv("plots/q1/galleries.csv", index=False)
    return model


def test_the_command_writes_what_it_promises(study, model):
    masks = np.zeros((26, 96, 96), bool)
    masks[[8, 22], 30:60, 30:60] = True  # of two images of the galleries
    np.save("data/raw/masks.npy", masks)
    result = study.run("occlusion")
    assert result.returncode == 0, result.stderr
    names = {f"{kind}_{rank}.png" for kind in ("correct", "misclassified") for rank in range(1, 6)}
    others = {"patches.png", "fills.png", "insertion_deletion.png"}
    assert {path.name for path in Path("plots/occlusion").iterdir()} == names | others
    assert sorted(snapshot("models/occlusion")) == [
        "models/occlusion/heatmaps.json",
        "models/occlusion/heatmaps.npz",
        "models/occlusion/patches.csv",
    ]
    assert "patch 48" in result.stdout and "patch 96" in result.stdout

    index = [8, 9, 21, 22]
    images = study.images[index]
    answers = logits(model.network, images)
    color = study.images[study.split == "train"].reshape(-1, 3).mean(axis=0)
    with np.load("models/occlusion/heatmaps.npz") as arrays:
        maps = {f"patch_{patch}_{fill}" for patch in (48, 96) for fill in FILLS}
        assert set(arrays) == maps | {"index", "unoccluded"}
        assert arrays["index"].tolist() == index
        np.testing.assert_allclose(arrays["unoccluded"], answers, atol=2e-6)
        for fill in FILLS:
            side = 2 if fill == "mean" else 1
            assert arrays[f"patch_48_{fill}"].shape == (4, side, side, 2)
            assert arrays[f"patch_96_{fill}"].shape == (4, 1, 1, 2)
            for i, image in enumerate(images):
                stand_in = filled(fill, image, color)
                expected = occluded_logits(
                    model.network, image, 48, 48 if side == 2 else 96, stand_in
                )
                np.testing.assert_allclose(arrays[f"patch_48_{fill}"][i], expected, atol=5e-6)
    description = json.loads(Path("models/occlusion/heatmaps.json").read_text())
    assert description == {
        "network": "q1",
        "patches": [48, 96],
        "fills": FILLS,
        "strides": {fill: 48 if fill == "mean" else 96 for fill in FILLS},
    }

    metrics = json.loads(Path("metrics/occlusion.json").read_text())
    assert metrics["network"] == "q1"
    assert metrics["correct"]["images"] == 3 and metrics["misclassified"]["images"] == 1
    for kind, share in (("correct", 0.3333), ("misclassified", 1.0)):
        for column in ("pointing_game", "pointing_game_by_chance"):
            assert metrics[kind]["patch_96"][column] == share  # 47 lies in the mask
            assert metrics[kind]["patch_48"][column] == 0.0  # 23 and 71 do not
    assert metrics["correct"]["rank_agreement"] == {"48_96": None}
    table = pd.read_csv("models/occlusion/patches.csv")
    assert table["patch"].tolist() == [48, 96]
    for kind in ("correct", "misclassified"):
        for row in table.to_dict("records"):
            for column in ("largest_drop", "flip_share"):
                value = metrics[kind][f"patch_{row['patch']}"][column]
                assert row[f"{column}_{kind}"] == pytest.approx(value)

    first = snapshot("plots", "metrics", "models")
    assert study.run("occlusion").returncode == 0
    assert snapshot("plots", "metrics", "models") == first


def test_a_misclassified_image_is_mapped_for_its_predicted_class_then_for_its_true_one():
    images = np.arange(2, dtype=np.uint8)[:, None, None, None].repeat(96, axis=1)
    unoccluded = np.log([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])  # class 0, class 2
    occluded = np.log([0.5, 0.3, 0.2]) * np.ones((2, 3, 3, 1))
    grids = {"mean": {8: occluded}, "gray": {8: 0 * occluded}}
    maps = Maps(images, np.array([0, 1]), unoccluded, grids, {"mean": 4, "gray": 8}, None)
    row = sheet_row(maps, 1, 2, ["cat", "dog", "cow"])
    assert (row.image == 1).all() and row.title == "dog"
    assert row.targets == ["cow 0.600", "dog 0.300"]
    np.testing.assert_allclose(row.drops[8], np.tile([0.4, 0], (3, 3, 1)), atol=1e-6)
    odds = np.log(0.6 / 0.4) - np.log(0.2 / 0.8)
    np.testing.assert_allclose(row.log_odds, np.tile([odds, 0], (3, 3, 1)), atol=1e-6)
    assert row.predicted == 2 and (row.answers == 0).all()
    assert sheet_row(maps, 0, 1, ["cat", "dog", "cow"]).targets == ["cat 0.700"]


def test_neither_an_empty_gallery_nor_missing_masks_are_an_obstacle(study, model, command):
    table = pd.read_csv("plots/q1/galleries.csv")
    table[table["gallery"] == "correct"].to_csv("plots/q1/galleries.csv", index=False)
    study.write_params(occlusion={"fill": [0, 128, 255.0], "other_fills": []})
    command()
    metrics = json.loads(Path("metrics/occlusion.json").read_text())
    assert metrics["misclassified"]["images"] == 0
    assert metrics["misclassified"]["patch_48"]["flip_share"] is None
    assert "pointing_game" not in metrics["correct"]["patch_48"]
    assert Path("plots/occlusion/misclassified_1.png").exists()
    with np.load("models/occlusion/heatmaps.npz") as arrays:
        assert sorted(arrays) == [
            "index", "patch_48_0-128-255", "patch_96_0-128-255", "unoccluded"
        ]  # fmt: skip
        given = target_maps(arrays["patch_48_0-128-255"], np.zeros(3, int))
    expected = occlusion_maps(
        model.network, study.images[[8, 9, 21]], [0] * 3, 48, 48, [0, 128, 255]
    )
    np.testing.assert_allclose(given, expected, atol=5e-6)
    assert metrics["misclassified"]["deletion"]["area"] is None
    assert metrics["correct"]["fill_agreement"] == {"patch": 96}


def test_a_fill_that_leads_and_is_among_the_others_is_measured_once(study, model, command):
    study.write_params(occlusion={"fill": "black"})
    command()
    description = json.loads(Path("models/occlusion/heatmaps.json").read_text())
    assert description["fills"] == ["black", "gray", "blur", "noise"]


def test_a_model_of_other_classes_is_refused_and_nothing_is_written(study, model, command):
    study.write_model(classes=["cat", "dog", "cow"])
    with pytest.raises(InputError, match="models/q1 was trained on the classes cat, dog, cow"):
        command()
    assert not Path("plots/occlusion").exists() and not Path("metrics").exists()
    assert not Path("models/occlusion").exists()


def test_a_gallery_that_is_not_there_is_named(study, command):
    study.write_model()
    with pytest.raises(InputError, match="plots/q1/galleries.csv is not there: run `dvc repro`"):
        command()
    assert not Path("plots").exists()
