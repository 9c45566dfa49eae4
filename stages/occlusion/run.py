"""Question 3: hide each part of the galleries' images, and watch the score of their classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from stages.common import dataset, figures, inference
from stages.common.base import files
from stages.common.base.progress import log, progress
from stages.common.dataset import Dataset
from stages.common.inference import Model
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS
from stages.common.tables import evaluation as tables
from stages.common.tables.rows import most_confident
from stages.occlusion import draw, measures
from stages.occlusion.params import Occlusion
from stages.occlusion.sensitivity import clean_image, occluded_scores


@dataclass(frozen=True)
class Maps:
    """What a network answers to n images whole, and with the patch at each position.

    `images` is uint8 (n, 96, 96, 3), `actual` their true classes, int64 (n,). `unoccluded` are
    softmax scores, float32 (n, classes); `scores` has, for each side of the patch in pixels, those
    at its positions, float32 (n, rows, columns, classes). `masks` is where the object is, bool
    (n, 96, 96), or None.
    """

    images: np.ndarray
    actual: np.ndarray
    unoccluded: np.ndarray
    scores: dict[int, np.ndarray]
    masks: np.ndarray | None

    @property
    def predicted(self) -> np.ndarray:
        return self.unoccluded.argmax(axis=1)


def occlude(settings: Occlusion, device: torch.device) -> None:
    """Write `metrics/occlusion.json`, `plots/occlusion/` and `models/occlusion/`.

    Raises
    ------
    InputError
        What an earlier stage wrote is missing, or the network has other classes than the data set.
    """
    data = dataset.load()
    name, patches, stride = settings.network, settings.patches, settings.stride
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    gallery = files.read_csv(f"plots/{name}/galleries.csv", tables.GALLERIES)
    fill = data.mean * 255 if settings.fill == "mean" else settings.fill
    maps = measure_maps(model, data, gallery["index"].to_numpy(), patches, stride, fill)
    metrics = {kind: summary(maps, gallery["gallery"] == kind, stride) for kind in GALLERIES}
    effect = effect_of_size(metrics, patches)
    # both folders get their names only when all is written, so that a full disk leaves neither
    with (
        files.new_folder("plots/occlusion") as folder,
        files.new_folder("models/occlusion") as raw,
    ):
        grids = {f"patch_{patch}": scores for patch, scores in maps.scores.items()}
        index = gallery["index"].to_numpy()
        files.write_arrays(raw / "heatmaps.npz", index=index, unoccluded=maps.unoccluded, **grids)
        files.write_csv(raw / "patches.csv", effect)
        draw_sheets(folder, NETWORKS[name].title, maps, gallery, data.classes, stride)
        agreement = {kind: metrics[kind]["rank_agreement"] for kind in GALLERIES}
        title = f"{NETWORKS[name].title}: what the size of the patch changes"
        figures.save(draw.sizes(effect, agreement, title), folder / "patches.png")
        files.write_json("metrics/occlusion.json", {"network": name} | metrics)
    for patch in patches:
        drops = (f"{metrics[kind][f'patch_{patch}']['largest_drop']} {kind}" for kind in GALLERIES)
        log(f"occlusion of {name}, patch {patch}: mean largest drop {', '.join(drops)}")


def measure_maps(
    model: Model,
    data: Dataset,
    index: np.ndarray,
    patches: Sequence[int],
    stride: int,
    fill: float | Sequence[float],
) -> Maps:
    """Measure the scores of some images of the data set, whole and occluded."""
    images = data.images[index]
    found: dict[int, list[np.ndarray]] = {patch: [] for patch in patches}
    for image in progress(images, "occlusion", len(images)):
        clean = clean_image(model, image)  # serves all sizes
        for patch in patches:
            found[patch].append(occluded_scores(model, image, patch, stride, fill, clean=clean))
    masks = dataset.RAW / "masks.npy"
    return Maps(
        images,
        data.labels[index],
        inference.predict(model, images),
        {patch: np.stack(scores) for patch, scores in found.items()},
        files.read_array(masks)[index] if masks.exists() else None,
    )


def summary(maps: Maps, members: pd.Series, stride: int) -> dict[str, Any]:
    """Measure what each patch size does to the images of one gallery."""
    of = members.to_numpy()
    return measures.summary(
        {patch: scores[of] for patch, scores in maps.scores.items()},
        maps.unoccluded[of],
        maps.actual[of],
        stride,
        None if maps.masks is None else maps.masks[of],
    )


def effect_of_size(metrics: dict[str, dict], patches: Sequence[int]) -> pd.DataFrame:
    """Lay out what each patch size does: patch, and two means for each gallery."""
    table = pd.DataFrame({"patch": patches})
    for kind, of in metrics.items():
        for column in ("largest_drop", "flip_share"):
            table[f"{column}_{kind}"] = [of[f"patch_{patch}"][column] for patch in patches]
    return table


def draw_sheets(
    folder: Path, title: str, maps: Maps, gallery: pd.DataFrame, classes: list[str], stride: int
) -> None:
    """Draw a sheet for each rank of each gallery, a row a class, for those that a gallery shows."""
    keys = gallery[["gallery", "class", "rank"]].itertuples(index=False, name=None)
    place = {key: i for i, key in enumerate(keys)}
    for kind in GALLERIES:
        # a misclassified image has two maps a patch: of the predicted and of the true class
        targets = 1 if kind == "correct" else 2
        shown = most_confident(gallery[gallery["gallery"] == kind], classes)
        for rank in range(1, PER_CLASS + 1):
            rows = [
                name
                if (i := place.get((kind, name, rank))) is None
                else sheet_row(maps, i, targets, classes)
                for name in shown
            ]
            heading = f"{title}: what hiding a part of {kind} images does, rank {rank}"
            sheet = draw.sheet(rows, list(maps.scores), stride, heading, targets)
            figures.say_what_is_shown(sheet, len(shown), len(classes), figures.BY_SCORE)
            figures.save(sheet, folder / f"{kind}_{rank}.png")


def sheet_row(maps: Maps, i: int, targets: int, classes: list[str]) -> draw.Row:
    """Return what a sheet shows of an image, for its predicted and, if wanted, its true class."""
    mapped = [maps.predicted[i], maps.actual[i]][:targets]
    short = figures.short(classes, 10)
    names = [f"{short[classes[t]]} {maps.unoccluded[i, t]:.3f}" for t in mapped]
    drops = [maps.unoccluded[i, mapped] - scores[i][..., mapped] for scores in maps.scores.values()]
    return draw.Row(maps.images[i], classes[maps.actual[i]], names, drops)
