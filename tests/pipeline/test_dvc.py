"""The everyday commands of DVC, as the README shows them, on a tiny configuration."""

import csv
import json

import pytest

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
    assert sheets == {"patches.png"} | {
        f"{kind}_{i}.png" for kind in ("correct", "misclassified") for i in range(1, 6)
    }
    assert (clone / "models/occlusion/heatmaps.npz").is_file()
    assert (clone / "report/report.pdf").read_bytes().startswith(b"%PDF")
    assert clone.git("status", "--porcelain") == ""


def test_a_second_repro_does_nothing(clone):
    assert stages_run(clone.dvc("repro")) == []
    assert json.loads(clone.dvc("status", "--json")) == {}
    assert clone.git("status", "--porcelain") == ""


def test_a_learning_rate_retrains_the_four_networks_and_nothing_upstream(clone):
    before = json.loads((clone / "metrics/q1.json").read_text())
    ran = stages_run(clone.dvc("exp", "run", "-S", "train.lr=0.01"))
    # the better network has a learning rate of its own: trained anew it is the same to the byte, so
    # that DVC need not evaluate it again
    changed = [stage for stage in EVALUATIONS if stage != "evaluate@better"]
    assert sorted(ran) == sorted([*TRAININGS, *changed, "occlusion", "compare", "report"])
    assert json.loads((clone / "metrics/q1.json").read_text()) != before
    assert "train.lr" in clone.dvc("params", "diff")
    assert "0.01" in clone.dvc("params", "diff")
    assert "test_accuracy.q1" in clone.dvc("metrics", "diff")


def test_patches_rerun_occlusion_and_the_report(clone):
    ran = stages_run(clone.dvc("exp", "run", "-S", "occlusion.patches=[12]"))
    assert ran == ["occlusion", "report"]
    metrics = json.loads((clone / "metrics/occlusion.json").read_text())
    assert "patch_12" in metrics["correct"]
    assert "patch_32" not in metrics["correct"]


def test_one_network_is_evaluated_anew_when_it_alone_changes(clone):
    ran = stages_run(clone.dvc("exp", "run", "-S", "train_better.label_smoothing=0.2"))
    assert ran[:2] == ["train_better", "evaluate@better"]
    assert sorted(ran[2:]) == ["compare", "report"]


def test_an_author_reruns_the_report_alone(clone):
    author = ("-S", "report.author=Ada Lovelace", "-S", 'report.student_number="0012345"')
    assert stages_run(clone.dvc("exp", "run", *author)) == ["report"]
    [report] = (clone / "report").iterdir()
    assert report.name == "report_Ada-Lovelace_0012345.pdf"
    assert clone.git("diff", "--name-only").split() == ["dvc.lock", "params.yaml"]


def test_plots_of_two_commits_pair_up_images_included(clone):
    clone.dvc("exp", "run", "-S", "occlusion.patches=[12]", "-S", "evaluate.group_by=predicted")
    clone.commit("another run")
    shown = json.loads(clone.dvc("plots", "show", "--json"))["data"]
    charts = {"Loss of the four networks", "Accuracy of the four networks", "Confusion on test"}
    assert charts <= shown.keys()
    clone.dvc("plots", "diff", "HEAD~1", "HEAD", "--out", "page")
    page = (clone / "page/index.html").read_text()
    for chart in charts:
        assert chart in page
    pictures = {path.name for path in (clone / "page/static").iterdir()}
    for picture in ("plots_q1_gallery_misclassified.png", "plots_occlusion_correct_1.png"):
        assert {f"HEAD_{picture}", f"HEAD~1_{picture}"} <= pictures


def test_metrics_and_experiments_show_the_few_columns_that_matter(clone):
    accuracies = [f"{s}_accuracy.{n}" for s in ("test", "val") for n in sorted(NETWORKS)]
    header, row = clone.dvc("metrics", "show").splitlines()
    assert header.split() == ["Path", *accuracies]
    assert row.split()[0] == "metrics/summary.json"
    assert "test.macro_f1" in clone.dvc("metrics", "show", "metrics/q1.json")
    clone.dvc("exp", "run", "-S", "occlusion.stride=16")
    shown = clone.dvc("exp", "show", "--only-changed", "--csv")
    columns = next(csv.reader(shown.splitlines()))
    assert "occlusion.stride" in columns and "train.lr" not in columns


def test_dag_shows_every_stage(clone):
    dag = clone.dvc("dag")
    for stage in ("download", "split", *TRAININGS, *EVALUATIONS, "occlusion", "compare", "report"):
        assert stage in dag


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
    ],
)
def test_a_bad_param_ends_the_run_in_one_line_and_loses_nothing(clone, param, message):
    output = clone.dvc("exp", "run", "-S", param, code=1)
    assert message in output
    assert "Traceback" not in output
    clone.git("checkout", "--", ".")
    clone.dvc("checkout")
    assert stages_run(clone.dvc("repro")) == []
