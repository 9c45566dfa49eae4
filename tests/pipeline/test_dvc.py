"""The everyday commands of DVC, as the README shows them, on a tiny configuration."""

import csv
import json

import pytest

from stages.common.base import params
from stages.train.params import Train
from tests.pipeline.conftest import stages_run

SPLITS = ("train", "val", "test")
NETWORKS = ("q1", "q2", "augment", "better")
TRAININGS = ["train_q1", "train_q2", "augment", "train_better"]
EVALUATIONS = [f"evaluate@{network}" for network in NETWORKS]


def test_repro_writes_all_that_the_study_asks_for(clone):
    for network in NETWORKS:
        assert (clone / f"models/{network}/weights.safetensors").stat().st_size > 10**6
        names = {path.name for path in (clone / f"plots/{network}").iterdir()}
        assert names == {
            "agreement.csv",
            "augmented.png",
            "classes.csv",
            "curves.csv",
            "curves.png",
            "galleries.csv",
            "gallery_correct.png",
            "gallery_misclassified.png",
            "reliability.csv",
            *(f"confusion_{split}.{kind}" for split in SPLITS for kind in ("csv", "png")),
        }
        metrics = json.loads((clone / f"metrics/{network}.json").read_text())
        assert 0 <= metrics["test"]["accuracy"] <= 1
        with open(clone / f"models/{network}/history.csv") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]
    sheets = {path.name for path in (clone / "plots/occlusion").glob("*.png")}
    assert sheets == {"patches.png", "fills.png", "insertion_deletion.png"} | {
        f"{kind}_{i}.png" for kind in ("correct", "misclassified") for i in range(1, 6)
    }
    assert (clone / "models/occlusion/heatmaps.npz").is_file()
    assert (clone / "report/report.pdf").read_bytes().startswith(b"%PDF")
    assert clone.git("status", "--porcelain") == ""


def test_a_second_repro_does_nothing(clone):
    assert stages_run(clone.dvc("repro")) == []
    assert json.loads(clone.dvc("status", "--json")) == {}
    assert clone.git("status", "--porcelain") == ""


def test_a_learning_rate_retrains_all_networks_and_nothing_upstream(finished_clone, second_run):
    ran = stages_run((second_run / ".git/output").read_text())
    # the better network has a learning rate of its own: trained anew it is the same to the byte, so
    # that DVC need not evaluate it again
    changed = [stage for stage in EVALUATIONS if stage != "evaluate@better"]
    assert sorted(ran) == sorted(
        [*TRAININGS, *changed, "occlusion", "occlusion_better", "explore", "compare", "report"]
    )
    for name, kept in {"q1": False, "better": True}.items():
        before, now = (run / f"metrics/{name}.json" for run in (finished_clone, second_run))
        assert (before.read_text() == now.read_text()) == kept
    occlusion = json.loads((second_run / "metrics/occlusion.json").read_text())
    assert "patch_12" in occlusion["correct"] and "patch_32" not in occlusion["correct"]
    difference = second_run.dvc("params", "diff", "HEAD~1")
    assert "train.lr" in difference and "0.01" in difference
    assert "test_accuracy.q1" in second_run.dvc("metrics", "diff", "HEAD~1")


@pytest.mark.parametrize(
    "changes, stages",
    [
        ({"occlusion": {"patches": [12]}}, ["occlusion", "occlusion_better", "report"]),
        ({"report": {"author": "Ada Lovelace"}}, ["report"]),
    ],
    ids=["patches", "author"],
)
def test_a_param_reruns_what_depends_on_it(clone, changes, stages):
    clone.set_params(changes)
    assert sorted(stages_run(clone.dvc("repro", "--dry"))) == sorted(stages)


def test_one_network_is_evaluated_anew_when_it_alone_changes(clone):
    author = ("-S", "report.author=Ada Lovelace", "-S", 'report.student_number="0012345"')
    output = clone.dvc("exp", "run", "-S", "train_better.label_smoothing=0.2", *author)
    ran = stages_run(output)
    assert ran[:2] == ["train_better", "evaluate@better"]
    assert sorted(ran[2:]) == ["compare", "explore", "occlusion_better", "report"]
    [report] = (clone / "report").iterdir()
    assert report.name == "report_Ada-Lovelace_0012345.pdf"


def test_plots_of_two_commits_pair_up_images_included(second_run):
    shown = json.loads(second_run.dvc("plots", "show", "--json"))["data"]
    charts = {"Loss of the four networks", "Accuracy of the four networks", "Confusion on test"}
    assert charts <= shown.keys()
    second_run.dvc("plots", "diff", "HEAD~1", "HEAD", "--out", "page")
    page = (second_run / "page/index.html").read_text()
    for chart in charts:
        assert chart in page
    pictures = {path.name for path in (second_run / "page/static").iterdir()}
    for picture in ("plots_q1_gallery_misclassified.png", "plots_occlusion_correct_1.png"):
        assert {f"HEAD_{picture}", f"HEAD~1_{picture}"} <= pictures


def test_metrics_and_experiments_show_the_few_columns_that_matter(second_run):
    accuracies = [f"{s}_accuracy.{n}" for s in ("test", "val") for n in sorted(NETWORKS)]
    header, row = second_run.dvc("metrics", "show").splitlines()
    assert header.split() == ["Path", *accuracies]
    assert row.split()[0] == "metrics/summary.json"
    assert "test.macro_f1" in second_run.dvc("metrics", "show", "metrics/q1.json")
    shown = second_run.dvc("exp", "show", "--num", "2", "--only-changed", "--csv")
    columns = next(csv.reader(shown.splitlines()))
    assert "train.lr" in columns and "occlusion.stride" not in columns


def test_each_network_takes_a_value_of_its_own_for_every_param_of_train(fresh_clone, tmp_path):
    clone = fresh_clone.copy(tmp_path / "project")
    comments = (clone / "params.yaml").read_text().count(" # ")
    values = {"epochs": 3, "sizes": [96], "lr": 0.5, "flip": 0.25, "erase": 4, "optimizer": "sgd"}
    changed = {f"{stage}.{key}": value for stage in TRAININGS for key, value in values.items()}
    words = [word for key, value in changed.items() for word in ("-S", f"{key}={value}")]
    clone.dvc("exp", "run", *words, "download")
    for stage in TRAININGS:
        assert set(params.parse(clone / "params.yaml")[stage]) == set(Train.model_fields)
        settings = params.read(Train, "train", stage, path=clone / "params.yaml")
        assert settings.model_dump(include=set(values)) == values and settings.batch_size == 32
    # nothing else is changed, and each value is still explained
    assert set(json.loads(clone.dvc("params", "diff", "--json"))["params.yaml"]) == set(changed)
    assert (clone / "params.yaml").read_text().count(" # ") == comments


@pytest.mark.parametrize(
    ("param", "message"),
    [
        (
            "train.epochs=-1",
            "params.yaml: train.epochs is -1: should be greater than or equal to 1",
        ),
        ("split.parts=[0,0,0]", "params.yaml: split.parts.0 is 0: should be greater than"),
        ("+train.learning_rate=0.1", "train.learning_rate is not a known param; the nearest"),
        ("occlusion.patches=[97]", "params.yaml: occlusion.patches.0 is 97: should be less than"),
        ("download.source=imagenet", "params.yaml: download.source is 'imagenet': should be"),
        ("train.lr=null", "params.yaml: train.lr is None: should be a valid number"),
        ("train_better.flip=2", "params.yaml: train_better.flip is 2: should be less than"),
    ],
)
def test_a_bad_param_ends_the_run_in_one_line_and_loses_nothing(clone, param, message):
    output = clone.dvc("exp", "run", "-S", param, code=1)
    assert message in output
    assert "Traceback" not in output
    clone.git("checkout", "--", ".")
    clone.dvc("checkout")
    assert stages_run(clone.dvc("repro")) == []
