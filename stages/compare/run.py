"""Question 2.3: put the networks side by side: accuracy, cost, errors, and what chance explains."""

from itertools import pairwise
from pathlib import Path

import pandas as pd

from stages.common import figures, significance
from stages.common.base import files, fingerprint
from stages.common.base.progress import log
from stages.common.study import NETWORKS, SPLITS
from stages.common.tables import evaluation
from stages.common.tables.training import HISTORY
from stages.compare import draw, tables


def compare() -> None:
    """Write `metrics/summary.json`, `metrics/pairwise.json` and `plots/compare/`.

    Raises
    ------
    InputError
        What an earlier stage wrote is missing.
    """
    fingerprint.record()
    metrics = {name: files.read_json(f"metrics/{name}.json") for name in NETWORKS}
    curves = tables.read("curves.csv", HISTORY)
    answers = {
        split: tables.read(f"confusion_{split}.csv", evaluation.CONFUSION) for split in SPLITS
    }
    classes = tables.read("classes.csv", evaluation.CLASSES)
    reliability = tables.read("reliability.csv", evaluation.RELIABILITY)

    images = int((answers["train"]["network"] == next(iter(NETWORKS))).sum())
    overview = tables.overview(metrics, curves, images)
    correct = {name: tables.correct(answers["test"], name) for name in NETWORKS}
    with files.new_folder("plots/compare") as folder:
        files.write_csv(folder / "networks.csv", overview)
        files.write_csv(folder / "curves.csv", tables.long_curves(curves))
        files.write_csv(folder / "classes.csv", classes)
        files.write_csv(folder / "reliability.csv", reliability)
        draw_overview(folder, curves, overview)
        figures.save(draw.classes(classes, "test"), folder / "classes.png")
        figures.save(draw.reliability(reliability, metrics, "test"), folder / "reliability.png")
        compare_errors(folder, answers, list(classes["class"].unique()))
        files.write_json("metrics/pairwise.json", significance.pairwise(correct))
        files.write_json("metrics/summary.json", tables.summary(metrics))
    best = overview.loc[overview["val_accuracy"].idxmax()]
    log(
        f"best on validation: {best['network']}, {best['val_accuracy']:.1%}, "
        f"{best['test_accuracy']:.1%} on test"
    )


def draw_overview(folder: Path, curves: pd.DataFrame, overview: pd.DataFrame) -> None:
    """Draw all trainings together, and what accuracy costs."""
    best_epochs = overview.set_index("network")["best_epoch"]
    figures.save(draw.curves(curves, best_epochs), folder / "curves.png")
    figures.save(draw.cost(overview), folder / "cost.png")


def compare_errors(folder: Path, answers: dict[str, pd.DataFrame], classes: list[str]) -> None:
    """List the cells of all confusion matrices; draw what changes from network to network."""
    for split, pairs in answers.items():
        files.write_csv(folder / f"confusion_{split}.csv", tables.cells(pairs, classes))
    counts = {name: tables.confusion(answers["val"], name, classes) for name in NETWORKS}
    for first, second in pairwise(NETWORKS):
        title = f"Validation: from {NETWORKS[first].title} to {NETWORKS[second].title}"
        figure = draw.difference(counts[first], counts[second], classes, title)
        figures.save(figure, folder / f"difference_{first}_{second}.png")
