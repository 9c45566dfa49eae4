"""The study, run on a few images by the real `dvc`."""

import json
import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.plan import PARTS
from tools import browser

NETWORKS = {"q1": "train_q1", "q2": "train_q2", "augment": "augment", "better": "train_better"}
COLUMNS = ["experiment", "seed", "epoch", "cpu_minutes", "wall_minutes"]
COLUMNS += ["train_accuracy", "val_accuracy"]


def experiment(stage, about="a try", **more):
    return {"stage": stage, "about": about, "seeds": 1} | more


@pytest.fixture
def photos(clone, tmp_path):
    """A folder of photographs, as bright as their class."""
    folder = tmp_path / "it's my Ünï, (1)=#"
    rng = np.random.default_rng(0)
    for label, name in enumerate(("bear", "bird", "car")):
        (folder / name).mkdir(parents=True)
        for number in range(13):
            pixels = rng.integers(60 * label, 60 * label + 90, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def plan(clone, **parts):
    """Write a plan, of which nothing has been run; JSON is YAML."""
    for table in ("curves", "models"):
        (clone / f"experiments/{table}.csv").unlink(missing_ok=True)
    shutil.rmtree(clone / "experiments/metrics", ignore_errors=True)
    params = {"download.source": "folder", "train.epochs": 1}
    content = {"params": params} | dict.fromkeys(PARTS, {}) | parts
    (clone / "experiments/plan.yaml").write_text(json.dumps(content))


def run(clone, *arguments, code=0):
    return clone.call("python", "-m", "experiments", *map(str, arguments), code=code)


def test_experiments_leave_their_curves_and_metrics_and_are_not_run_twice(clone, photos):
    study = {name: experiment(stage) for name, stage in NETWORKS.items()}
    changes = {"train.epochs": 2, "split.protocol": "parts", "split.parts": [4, 4, 5]}
    changes |= {"compute.kernels": "fastest"}
    two = experiment("train_q1", "two epochs", seeds=2, params=changes)
    same = experiment("train_q1", "once more", params={"train_q1.epochs": 1})
    plan(clone, study=study, official={"two": two}, sweep={"same": same})
    params = (clone / "params.yaml").read_bytes()
    run(clone, photos, "study")
    # ended just before the networks were compared: that is made up for
    pairwise = clone / "experiments/metrics/seed-0/pairwise.json"
    pairwise.unlink()
    output = run(clone, photos)
    assert pairwise.is_file() and "q2, seed 0" not in output
    assert "two, seed 1: two epochs" in output and "same, seed 0: as q1" in output

    curves = pd.read_csv(clone / "experiments/curves.csv")
    assert list(curves) == COLUMNS
    runs = curves.groupby(["experiment", "seed"], sort=False)["epoch"].agg(list)
    assert runs.to_dict() == {(name, 0): [1] for name in (*NETWORKS, "same")} | {
        ("two", 0): [1, 2],
        ("two", 1): [1, 2],
    }
    assert (curves["cpu_minutes"] > 0).all() and (curves["wall_minutes"] > 0).all()
    two = curves[(curves["experiment"] == "two") & (curves["seed"] == 1)]
    assert two["cpu_minutes"].is_monotonic_increasing
    history = pd.read_csv(clone / "models/q1/history.csv")
    assert two["val_accuracy"].tolist() == pytest.approx(history["val_accuracy"].tolist(), abs=1e-4)
    kept = sorted(path.name for path in (clone / "experiments/metrics/seed-0").iterdir())
    assert kept == [
        *(f"{name}.json" for name in sorted([*NETWORKS, "two", "occlusion", "pairwise"]))
    ]
    assert (clone / "experiments/metrics/seed-1/two.json").is_file()
    metrics = json.loads((clone / "experiments/metrics/seed-0/q1.json").read_text())
    assert 0 <= metrics["test"]["accuracy"] <= 1 and metrics["parameters"] < 390_602  # 3 classes
    plots = clone / "experiments/plots"
    for picture in ("compare/curves.png", "occlusion/correct_1.png", "report.png"):
        assert (plots / picture).is_file()
    assert (plots / "explorer.png").is_file() or not browser.find()
    assert all((plots / network / "confusion_val.png").is_file() for network in NETWORKS)
    # each is an experiment of DVC, and the params are those from before
    listed = clone.dvc("exp", "list", "--name-only").split()
    assert {"q1-0", "better-0", "two-0", "two-1"} <= set(listed) and "same-0" not in listed
    assert (clone / "params.yaml").read_bytes() == params

    # what is recorded has the same bytes again, and another hash is told
    models = clone / "experiments/models.csv"
    hashes = pd.read_csv(models).set_index("experiment")
    assert sorted(hashes.index) == sorted([*NETWORKS, "two", "two"])
    hashes.loc["q2", "md5"] = hashes.loc["q1", "md5"]
    hashes.loc[["q2", "two"], "processor"] = "another processor"
    hashes.to_csv(models)
    output = run(clone, photos, "--check", "q1", "q2", "two", code=1)
    for seed in (0, 1):
        assert f"two, seed {seed}: left out" in output
    assert f"q1, seed 0: the same bytes, {hashes.loc['q1', 'md5']}" in output
    assert "q2, seed 0: other bytes than on another processor, " in output
    assert output.splitlines()[-1] == "error: q2-0 failed: see above"

    # the networks are compared as soon as all are there, but not with those of another training
    pairwise.unlink()
    output = run(clone, photos)
    assert "seed 0: not compared" in output
    assert "experiments/metrics/seed-0 and their rows from curves.csv\n" in output
    assert not pairwise.exists()
    pd.testing.assert_frame_equal(pd.read_csv(clone / "experiments/curves.csv"), curves)


def test_an_experiment_that_fails_or_is_ended_leaves_params_and_curves(clone, photos):
    params = (clone / "params.yaml").read_bytes()
    wrong, right = (experiment("train_q1", params={"train.lr": lr}) for lr in (-1, 0.001))
    plan(clone, sweep={"lr": wrong})
    output = run(clone, photos, code=1)
    assert "train.lr is -1: should be greater than 0" in output
    assert "lr, seed 0: `dvc exp run --force --single-item " in output
    assert output.splitlines()[-1] == "error: lr-0 failed: see above"
    assert (clone / "params.yaml").read_bytes() == params
    assert not (clone / "experiments/curves.csv").exists()
    # those after it are run all the same
    plan(clone, sweep={"lr": wrong, "next": right})
    assert run(clone, photos, code=1).splitlines()[-1] == "error: lr-0 failed: see above"
    assert set(pd.read_csv(clone / "experiments/curves.csv")["experiment"]) == {"next"}

    plan(clone, sweep={"long": experiment("train_q1", params={"train.epochs": 10_000})})
    process = clone.start("python", "-m", "experiments", str(photos))
    lines = iter(process.stdout.readline, "")
    assert any("q1 epoch   1 of 10000" in line for line in lines)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert "the same command goes on" in process.stdout.read()
    assert (clone / "params.yaml").read_bytes() == params
    assert not (clone / "experiments/curves.csv").exists()
    deadline = time.monotonic() + 60
    with pytest.raises(ProcessLookupError):  # nothing that it started is left
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.2)
