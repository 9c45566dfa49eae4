"""The command `python -m stages.compare`, on what `evaluate` writes."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from stages.common.study import NETWORKS
from stages.compare.__main__ import main
from stages.evaluate.__main__ import main as evaluate
from tests.conftest import CLASSES, assert_one_line, snapshot

PLOTS = {
    "classes.csv",
    "classes.png",
    "confusion_test.csv",
    "confusion_train.csv",
    "confusion_val.csv",
    "cost.png",
    "curves.csv",
    "curves.png",
    "difference_augment_better.png",
    "difference_q1_q2.png",
    "difference_q2_augment.png",
    "networks.csv",
    "reliability.csv",
    "reliability.png",
}


def test_the_command_writes_what_it_promises(study, monkeypatch):
    for seed, name in enumerate(NETWORKS):
        study.write_model(name, seed=seed)
        monkeypatch.setattr("sys.argv", ["evaluate", name])
        evaluate()
    torch.use_deterministic_algorithms(False)
    monkeypatch.setattr("sys.argv", ["compare"])
    before = snapshot("data", "models")
    main()
    assert {path.name for path in Path("plots/compare").iterdir()} == PLOTS
    assert snapshot("data", "models") == before
    summary = json.loads(Path("metrics/summary.json").read_text())
    pairs = json.loads(Path("metrics/pairwise.json").read_text())
    assert len(pairs) == 6
    for first, second in (("q1", "q2"), ("augment", "better")):
        own = pairs[f"{first}_{second}"]
        gain = summary["test_accuracy"][second] - summary["test_accuracy"][first]
        images = len(pd.read_csv("plots/q1/confusion_test.csv"))
        assert own["only_second"] - own["only_first"] == pytest.approx(gain * images, abs=1e-2)
        assert own["p"] <= own["p_holm"] <= 1
    networks = pd.read_csv("plots/compare/networks.csv").set_index("network")
    assert list(networks.index) == list(NETWORKS)
    for name in NETWORKS:
        metrics = json.loads(Path(f"metrics/{name}.json").read_text())
        for split in ("val", "test"):
            assert summary[f"{split}_accuracy"][name] == metrics[split]["accuracy"]
            cells = pd.read_csv(f"plots/compare/confusion_{split}.csv").query("network == @name")
            right = cells[cells["actual"] == cells["predicted"]]["images"].sum()
            assert right / cells["images"].sum() == pytest.approx(
                metrics[split]["accuracy"], abs=1e-4
            )
            assert set(cells["actual"]) == set(cells["predicted"]) == set(CLASSES)
        work = 3 * metrics["multiply_accumulates"] * 16 * 2  # two epochs of 16 images
        assert networks.loc[name, "training_multiply_accumulates"] == work
        own = pd.read_csv(f"plots/{name}/classes.csv")
        joined = pd.read_csv("plots/compare/classes.csv").query("network == @name")
        pd.testing.assert_frame_equal(joined.drop(columns="network").reset_index(drop=True), own)

    first = snapshot("plots", "metrics")
    result = study.run("compare", PYTHONHASHSEED="99", LC_ALL="C")
    assert result.returncode == 0 and "best on validation: " in result.stdout, result.stderr
    assert snapshot("plots", "metrics") == first


def test_a_network_that_was_not_evaluated_is_named(study):
    result = study.run("compare")
    assert_one_line(result, "metrics/q1.json is not there: run `dvc repro` to make it")
    assert not Path("plots").exists()
