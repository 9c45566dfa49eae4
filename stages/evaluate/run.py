"""Questions 1.2 to 1.4: measure a network on each split, rank its images, compare its errors."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from sklearn.metrics import confusion_matrix

from stages.common import dataset, figures, inference, networks
from stages.common.base import files
from stages.common.base.progress import log
from stages.common.dataset import Dataset
from stages.common.inference import Model
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS, SPLIT_TITLES, SPLITS
from stages.common.tables import evaluation as tables
from stages.common.tables.training import HISTORY
from stages.evaluate import agreement, draw, galleries, statistics
from stages.evaluate.params import Evaluate


@dataclass(frozen=True)
class Answers:
    """What a network answers to the images of a split.

    `labels` is int64 (n,), `logits` are float64 (n, classes), and `augmented` the means of the
    softmax scores with those of the mirror images, or None.
    """

    labels: np.ndarray
    logits: np.ndarray
    augmented: np.ndarray | None

    @property
    def scores(self) -> np.ndarray:
        return softmax(self.logits, axis=1)

    @property
    def predicted(self) -> np.ndarray:
        return self.logits.argmax(axis=1)


def evaluate(name: str, settings: Evaluate, device: torch.device) -> None:
    """Write `metrics/<name>.json` and `plots/<name>/`.

    Raises
    ------
    InputError
        What an earlier stage wrote is missing, or the network has other classes than the data set.
    """
    data = dataset.load()
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    flip = settings.test_time_augmentation == "flip"
    answers = {split: answer(model, data, data.splits[split], flip) for split in SPLITS}
    counts = {
        split: confusion_matrix(of.labels, of.predicted, labels=np.arange(len(data.classes)))
        for split, of in answers.items()
    }
    agreements, distances = agreement.compare(counts, data.classes)
    metrics = describe(model) | {"agreement": agreements}
    for split, of in answers.items():
        metrics[split] = statistics.split_metrics(of.logits, of.labels, of.augmented)
    val = answers["val"]
    ranked = galleries.most_confident(val.scores, val.labels, PER_CLASS, settings.group_by)
    table = galleries.table(ranked, val.scores, val.labels, data.splits["val"], data.classes)
    with files.new_folder(f"plots/{name}") as folder:
        shutil.copyfile(f"models/{name}/history.csv", folder / "curves.csv")
        write_tables(folder, answers, data.classes)
        files.write_csv(folder / "agreement.csv", distances, tables.AGREEMENT)
        files.write_csv(folder / "galleries.csv", table, tables.GALLERIES)
        draw_training(folder, name, data, model.epoch)
        draw_answers(folder, name, data, counts, table)
        files.write_json(f"metrics/{name}.json", metrics)
    interval = metrics["test"]["accuracy_interval"]
    log(
        f"{name}: {metrics['test']['accuracy']:.1%} on test "
        f"(95 % interval {interval['low']:.1%} to {interval['high']:.1%})"
    )


def answer(model: Model, data: Dataset, members: np.ndarray, flip: bool) -> Answers:
    """Ask a network for some images, and for their mirror images where wanted."""
    logits = inference.logits(model, data.images, members).double().numpy()
    augmented = None
    if flip:
        mirrored = data.images[:, :, ::-1]  # a mere look at the file: mirrored as it is read
        also = inference.logits(model, mirrored, members).double().numpy()
        augmented = (softmax(logits, axis=1) + softmax(also, axis=1)) / 2
    return Answers(data.labels[members], logits, augmented)


def describe(model: Model) -> dict[str, Any]:
    """Return what a network is and costs."""
    return {
        "best_epoch": model.epoch,
        "parameters": networks.parameter_count(model.network),
        "multiply_accumulates": networks.multiply_accumulates(model.network),
    }


def write_tables(folder: Path, answers: dict[str, Answers], classes: list[str]) -> None:
    """Write the answers to each image, and what they make of each class and confidence."""
    names = np.array(classes)
    for split, of in answers.items():
        pairs = pd.DataFrame({"actual": names[of.labels], "predicted": names[of.predicted]})
        files.write_csv(folder / f"confusion_{split}.csv", pairs, tables.CONFUSION)
    of_classes, reliability = (
        pd.concat(found, names=["split"]).reset_index("split")
        for found in (
            {
                s: statistics.class_metrics(of.predicted, of.labels, classes)
                for s, of in answers.items()
            },
            {s: statistics.reliability(of.scores, of.labels) for s, of in answers.items()},
        )
    )
    files.write_csv(folder / "classes.csv", of_classes, tables.CLASSES)
    files.write_csv(folder / "reliability.csv", reliability, tables.RELIABILITY)


def draw_training(folder: Path, name: str, data: Dataset, best_epoch: int) -> None:
    """Draw the curves of the training, and what augmentation made of a few images."""
    network = NETWORKS[name]
    history = files.read_csv(f"models/{name}/history.csv", HISTORY)
    curves = draw.curves(history, best_epoch, network.title, network.color)
    figures.save(curves, folder / "curves.png")
    # each row the first training image of a class, as the training keeps them
    augmented = files.read_array(f"models/{name}/augmented.npy")
    present = np.unique(data.labels[data.splits["train"]])[: len(augmented)]
    heading = f"{network.title}: training images, epoch by epoch"
    sheet = draw.augmented(augmented, [data.classes[label] for label in present], heading)
    figures.say_what_is_shown(sheet, len(present), len(data.classes), "the first ones")
    figures.save(sheet, folder / "augmented.png")


def draw_answers(
    folder: Path, name: str, data: Dataset, counts: dict[str, np.ndarray], table: pd.DataFrame
) -> None:
    """Draw the confusion matrix of each split and both galleries."""
    title = NETWORKS[name].title
    for split in SPLITS:
        figure = draw.confusion(counts[split], data.classes, f"{title}, {SPLIT_TITLES[split]}")
        figures.save(figure, folder / f"confusion_{split}.png")
    for gallery in GALLERIES:
        rows = table[table["gallery"] == gallery]
        heading = f"{title}: most confident {gallery} validation images"
        sheet = draw.gallery(data.images, rows, data.classes, PER_CLASS, heading)
        figures.save(sheet, folder / f"gallery_{gallery}.png")
