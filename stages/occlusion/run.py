"""Question 3: hide each part of the galleries' images, and watch the score of their classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from stages.common import dataset, figures, heatmaps, inference
from stages.common.base import files
from stages.common.base.progress import log, progress
from stages.common.dataset import Dataset
from stages.common.inference import Model, device_of
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS, SIDE
from stages.common.tables import evaluation as tables
from stages.common.tables.rows import highest_scored
from stages.occlusion import charts, curves, draw, fills, measures, parallel
from stages.occlusion.params import Occlusion, fill_name
from stages.occlusion.sensitivity import clean_image, occluded_logits, take_apart

COARSER = 2  # times the stride for the other fills: a quarter of the positions will do


@dataclass(frozen=True)
class Maps:
    """What a network answers to n images whole, and with the patch at each position.

    `images` is uint8 (n, 96, 96, 3), `actual` their true classes, int64 (n,). `unoccluded` are
    logits, float32 (n, classes); `logits` has, for each fill and side of the patch in pixels, those
    at its positions, float32 (n, rows, columns, classes), which lie `strides` of the fill apart.
    The first fill leads. `masks` is where the object is, bool (n, 96, 96), or None.
    """

    images: np.ndarray
    actual: np.ndarray
    unoccluded: np.ndarray
    logits: dict[str, dict[int, np.ndarray]]
    strides: dict[str, int]
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
    name, middle = settings.network, heatmaps.middle(settings.patches)
    data, model, gallery = open_network(name, device)
    maps = measure_maps(model, data, gallery["index"].to_numpy(), settings)
    found = measure_curves(model, data, maps, gallery["index"], settings)
    of = {kind: (gallery["gallery"] == kind).to_numpy() for kind in GALLERIES}
    metrics = {kind: summary(maps, found, members, middle) for kind, members in of.items()}
    effect = effect_of_size(metrics, settings.patches)
    # both folders get their names only when all is written, so that a full disk leaves neither
    with (
        files.new_folder("plots/occlusion") as folder,
        files.new_folder("models/occlusion") as raw,
    ):
        write_maps(raw, settings, maps, gallery["index"].to_numpy())
        files.write_csv(raw / "patches.csv", effect)
        title = NETWORKS[name].title
        draw_sheets(folder, title, maps, gallery, data.classes, settings)
        draw_fills(folder, title, maps, gallery, data.classes, middle)
        agreement = {kind: metrics[kind]["rank_agreement"] for kind in GALLERIES}
        sizes = charts.sizes(effect, agreement, f"{title}: what the size of the patch changes")
        figures.save(sizes, folder / "patches.png")
        means = {kind: found[members].mean(axis=0) for kind, members in of.items() if members.any()}
        heading = f"{title}: parts of {middle} × {middle} pixels, hidden or shown one by one"
        trust = charts.trust(means, curves.hidden_shares(parts(middle)), heading)
        figures.save(trust, folder / "insertion_deletion.png")
        files.write_json("metrics/occlusion.json", {"network": name} | metrics)
    for patch in settings.patches:
        drops = (f"{metrics[kind][f'patch_{patch}']['largest_drop']} {kind}" for kind in GALLERIES)
        log(f"occlusion of {name}, patch {patch}: mean largest drop {', '.join(drops)}")


def occlude_alone(name: str, settings: Occlusion, device: torch.device) -> None:
    """Write `models/occlusion_<name>/`: the maps of another network, with the leading fill alone.

    Raises
    ------
    InputError
        As `occlude`.
    """
    settings = settings.model_copy(update={"network": name, "other_fills": []})
    data, model, gallery = open_network(name, device)
    index = gallery["index"].to_numpy()
    maps = measure_maps(model, data, index, settings)
    with files.new_folder(f"models/occlusion_{name}") as folder:
        write_maps(folder, settings, maps, index)
    log(f"occlusion of {name}: {len(index)} images")


def open_network(name: str, device: torch.device) -> tuple[Dataset, Model, pd.DataFrame]:
    """Read the data set, a network, and the table of its galleries."""
    data = dataset.load()
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    return data, model, files.read_csv(f"plots/{name}/galleries.csv", tables.GALLERIES)


def write_maps(folder: Path, settings: Occlusion, maps: Maps, index: np.ndarray) -> None:
    """Write all logits as `heatmaps.npz`, and what they are of as `heatmaps.json`."""
    grids = {
        f"patch_{patch}_{fill}": logits
        for fill, sizes in maps.logits.items()
        for patch, logits in sizes.items()
    }
    files.write_arrays(folder / "heatmaps.npz", index=index, unoccluded=maps.unoccluded, **grids)
    description = {
        "network": settings.network,
        "patches": settings.patches,
        "fills": list(maps.strides),  # the leading one first
        "strides": maps.strides,
    }
    files.write_json(folder / "heatmaps.json", description)


def measure_maps(model: Model, data: Dataset, index: np.ndarray, settings: Occlusion) -> Maps:
    """Measure what is answered to some images of the data set, whole and occluded."""
    images = data.images[index]
    strides = {fill: settings.stride * COARSER for fill in settings.fills}
    strides[fill_name(settings.fill)] = settings.stride
    graph = take_apart(model)

    def answers(image: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
        # serves all sizes and fills
        clean, found = clean_image(model, image, graph) if graph else None, {}
        for name, fill in settings.fills.items():
            filled = fills.filled(fill, image, data.mean * 255)
            for patch in settings.patches:
                found[name, patch] = occluded_logits(
                    model,
                    image,
                    patch,
                    strides[name],
                    filled,
                    method="auto" if clean else "batched",
                    clean=clean,
                )
        return found

    found = parallel.each(answers, images, device_of(model))
    found = list(progress(found, "occlusion", len(images)))
    masks = dataset.RAW / "masks.npy"
    return Maps(
        images,
        data.labels[index],
        inference.logits(model, images).numpy(),
        {
            fill: {patch: np.stack([of[fill, patch] for of in found]) for patch in settings.patches}
            for fill in strides
        },
        strides,
        files.read_array(masks)[index] if masks.exists() else None,
    )


def measure_curves(
    model: Model, data: Dataset, maps: Maps, index: pd.Series, settings: Occlusion
) -> np.ndarray:
    """Hide and show the parts of each image by its map: float64 (n, 3, steps), see `curves`."""
    patch, fill = heatmaps.middle(settings.patches), fill_name(settings.fill)
    odds = measures.target_maps(maps.logits[fill][patch], maps.predicted, "log_odds")

    def answers(i: int) -> np.ndarray:
        image = maps.images[i]
        filled = fills.filled(settings.fill, image, data.mean * 255)
        order = curves.ranking(-odds[i], patch, settings.stride, SIDE)
        other = curves.random_order(parts(patch), index[i])
        return curves.measure(model, image, filled, order, other, patch, maps.predicted[i])

    members = range(len(odds))
    found = parallel.each(answers, members, device_of(model))
    found = list(progress(found, "insertion and deletion", len(members)))
    return np.array(found).reshape(len(odds), 3, len(curves.hidden_shares(parts(patch))))


def parts(patch: int) -> int:
    """Return how many parts of this side an image is cut into."""
    return (-(-SIDE // patch)) ** 2


def summary(maps: Maps, found: np.ndarray, members: np.ndarray, middle: int) -> dict[str, Any]:
    """Measure what hiding does to the images of one gallery, bool (n,)."""
    leading, *_ = maps.logits
    logits = {patch: grid[members] for patch, grid in maps.logits[leading].items()}
    unoccluded, predicted = maps.unoccluded[members], maps.predicted[members]
    masks = None if maps.masks is None else maps.masks[members]
    metrics = measures.summary(
        logits, unoccluded, maps.actual[members], maps.strides[leading], masks
    )
    odds = {
        fill: measures.target_maps(sizes[middle][members], predicted, "log_odds")
        for fill, sizes in maps.logits.items()
    }
    deletion, random, insertion = np.moveaxis(curves.area(found[members], parts(middle)), 1, 0)
    return metrics | {
        "fill_agreement": {"patch": middle} | measures.fill_agreement(odds, maps.strides),
        "deletion": {"patch": middle} | measures.trust(deletion, random),
        "insertion": {"patch": middle} | measures.trust(insertion, random),
    }


def effect_of_size(metrics: dict[str, dict], patches: Sequence[int]) -> pd.DataFrame:
    """Lay out what each patch size does: patch, and two means for each gallery."""
    table = pd.DataFrame({"patch": patches})
    for kind, of in metrics.items():
        for column in ("largest_drop", "flip_share"):
            table[f"{column}_{kind}"] = [of[f"patch_{patch}"][column] for patch in patches]
    return table


def draw_sheets(
    folder: Path,
    title: str,
    maps: Maps,
    gallery: pd.DataFrame,
    classes: list[str],
    settings: Occlusion,
) -> None:
    """Draw a sheet for each rank of each gallery, a row a class, for those that a gallery shows."""
    keys = gallery[["gallery", "class", "rank"]].itertuples(index=False, name=None)
    place = {key: i for i, key in enumerate(keys)}
    for kind in GALLERIES:
        # a misclassified image has two maps a patch: of the predicted and of the true class
        targets = 1 if kind == "correct" else 2
        shown = highest_scored(gallery[gallery["gallery"] == kind], classes)
        for rank in range(1, PER_CLASS + 1):
            rows = [
                name
                if (i := place.get((kind, name, rank))) is None
                else sheet_row(maps, i, targets, classes)
                for name in shown
            ]
            heading = f"{title}: what hiding a part of {kind} images does, rank {rank}"
            sheet = draw.sheet(rows, classes, settings.patches, settings.stride, heading, targets)
            figures.say_what_is_shown(sheet, len(shown), len(classes), figures.BY_SCORE)
            figures.save(sheet, folder / f"{kind}_{rank}.png")


def draw_fills(
    folder: Path, title: str, maps: Maps, gallery: pd.DataFrame, classes: list[str], patch: int
) -> None:
    """Draw what each fill does to the best correct image of each class."""
    correct = gallery["gallery"] == "correct"
    shown = highest_scored(gallery[correct], classes)
    best = correct & (gallery["rank"] == 1) & gallery["class"].isin(shown)
    rows = []
    for i in np.flatnonzero(best):
        falls = {
            fill: measures.fall(maps.unoccluded[i], sizes[patch][i], maps.predicted[i], "log_odds")
            for fill, sizes in maps.logits.items()
        }
        name = classes[maps.actual[i]]
        rows.append((maps.images[i], name, falls))
    heading = f"{title}: how the log-odds fall with each fill, {patch} × {patch} pixels"
    sheet = draw.fills(rows, patch, maps.strides, heading)
    figures.say_what_is_shown(sheet, len(shown), len(classes), figures.BY_SCORE)
    figures.save(sheet, folder / "fills.png")


def sheet_row(maps: Maps, i: int, targets: int, classes: list[str]) -> draw.Row:
    """Return what a sheet shows of an image, for its predicted and, if wanted, its true class."""
    leading, *_ = maps.logits
    grids = {patch: grid[i] for patch, grid in maps.logits[leading].items()}
    mapped = [maps.predicted[i], maps.actual[i]][:targets]
    title = classes[maps.actual[i]]
    return draw.row(maps.images[i], title, maps.unoccluded[i], grids, mapped, classes)
