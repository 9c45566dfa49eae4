"""Gather what the networks say of each validation and test image into one page."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib import colormaps
from matplotlib.colors import to_hex
from scipy.special import softmax

from stages.common import dataset, heatmaps, inference
from stages.common.base import files
from stages.common.base.progress import log
from stages.common.dataset import Dataset
from stages.common.figures import RIGHT, WRONG, class_colors
from stages.common.study import NETWORKS, SIDE, SPLIT_TITLES
from stages.common.tables.evaluation import RELIABILITY
from stages.explore import choose, encode, facts, page

SPLITS = ("val", "test")
# the maps of one network each; where both are of one, those of the first, which has more fills
OCCLUSION = (Path("models/occlusion"), Path("models/occlusion_better"))
SHADES = 65  # of a colour map: odd, so that one of them is its middle


class Answers(NamedTuple):
    """What the networks answer to the images of one split.

    `index` are the images' places in the data set, int64 (n,), `labels` their true classes, int64
    (n,), and `logits`, float64 (n, classes), those of each network by its name.
    """

    index: np.ndarray
    labels: np.ndarray
    logits: dict[str, np.ndarray]

    def correct(self) -> dict[str, np.ndarray]:
        return {name: of.argmax(axis=1) == self.labels for name, of in self.logits.items()}


class Maps(NamedTuple):
    """The occlusion maps of one network, of some images.

    `about` says of which network they are and lists patches and fills; `index` are the images,
    int64 (n,), `unoccluded` the logits of the whole images, float32 (n, classes), `grids` those for
    each patch and fill, float32 (n, rows, columns, classes), and `masks` where the object is, bool
    (n, 96, 96), or None.
    """

    about: dict[str, Any]
    index: np.ndarray
    unoccluded: np.ndarray
    grids: list[np.ndarray]
    masks: np.ndarray | None


def explore(device: torch.device) -> None:
    """Write `explore/index.html`.

    Raises
    ------
    InputError
        What an earlier stage wrote is missing, or a network has other classes than the data set.
    """
    data = dataset.load()
    maps = read_maps()
    tables = {
        name: files.read_csv(f"plots/{name}/reliability.csv", RELIABILITY) for name in NETWORKS
    }
    answers = ask(data, device)
    html, held = compose(data, answers, maps, tables)
    with files.new_folder("explore") as folder:
        files.write_text(folder / "index.html", html)
    total = sum(len(of.index) for of in answers.values())
    log(f"explore/index.html: {held} of {total} images, {len(html.encode()) / 1e6:.1f} MB")


def compose(
    data: Dataset, answers: dict[str, Answers], maps: list[Maps], tables: dict[str, pd.DataFrame]
) -> tuple[str, int]:
    """Compose the page; return it, and how many images it holds.

    `tables` are the bins of the reliability diagram of each network, as `evaluate` wrote them.
    """
    header, scans, held = take_photos(data, answers, maps)
    maps = [of for of in maps if len(of.index)]  # a gallery may be empty
    drawn = [take_maps(data, of, choose.MOST_OF_MAPS // len(maps)) for of in maps]
    study = describe(data, answers, maps, tables) | {"header": header}
    study["images"] = describe_images(data, answers, held, drawn)
    lines = [of[index][1] for index, *_ in study["images"] for of in drawn if index in of]
    return page.build(study, encode_scores(answers, held), scans, lines), len(held)


def ask(data: Dataset, device: torch.device) -> dict[str, Answers]:
    """Ask all networks for the images of validation and test."""
    logits: dict[str, dict[str, np.ndarray]] = {split: {} for split in SPLITS}
    for name in NETWORKS:
        model = inference.load(f"models/{name}", device)
        inference.check_classes(model, data.classes, f"models/{name}")
        for split in SPLITS:
            of = inference.logits(model, data.images, data.splits[split])
            logits[split][name] = of.double().numpy()
    return {
        split: Answers(data.splits[split], data.labels[data.splits[split]], logits[split])
        for split in SPLITS
    }


def read_maps() -> list[Maps]:
    """Read what hiding parts of some images does, by network."""
    every = [read_maps_of(folder) for folder in OCCLUSION]
    return [
        maps
        for maps in every
        if maps is every[0] or maps.about["network"] != every[0].about["network"]
    ]


def read_maps_of(folder: Path) -> Maps:
    about = files.read_json(folder / "heatmaps.json")
    arrays = files.read_arrays(folder / "heatmaps.npz")
    names = [f"patch_{patch}_{fill}" for patch in about["patches"] for fill in about["fills"]]
    masks = dataset.RAW / "masks.npy"
    return Maps(
        about,
        arrays["index"],
        arrays["unoccluded"],
        [arrays[name] for name in names],
        files.read_array(masks)[arrays["index"]] if masks.exists() else None,
    )


def take_photos(
    data: Dataset, answers: dict[str, Answers], maps: list[Maps]
) -> tuple[str, list[str], np.ndarray]:
    """Compress as many images as there is room for, those that say most first.

    Returns
    -------
    header : str
        What all photographs begin with, as base64.
    scans : list of str
        The rest of each, as base64.
    held : int64 (m,)
        Which images they are: places among all of the splits, one after the other, ascending.
    """
    index = np.concatenate([of.index for of in answers.values()])
    right = np.concatenate([np.all(list(of.correct().values()), axis=0) for of in answers.values()])
    mapped = np.isin(index, np.concatenate([of.index for of in maps]))
    order = choose.order(mapped, ~right)[: choose.MOST_IMAGES]
    parts = [encode.photo(data.images[i]) for i in index[order]]
    scans = [encode.text(scan) for _, scan in parts]
    beside = encode.text(bytes(2 * len(NETWORKS) * len(data.classes)))  # the scores of an image
    count = choose.fitting([len(scan) + len(beside) for scan in scans], choose.MOST_OF_IMAGES)
    place = np.argsort(order[:count])
    return encode.text(parts[0][0]), [scans[i] for i in place], order[:count][place]


def take_maps(data: Dataset, maps: Maps, room: int) -> dict[int, tuple[list[int], str]]:
    """Compress the maps of as many images as there is room for, in bytes before they are.

    Returns
    -------
    dict of int to (list of int, str)
        By the image's place in the data set: the classes that are kept, and a PNG as base64.
    """
    positions = sum(grid.shape[1] * grid.shape[2] for grid in maps.grids)
    kept = min(len(data.classes), choose.MOST_MAPPED + 1)
    count = room // (positions * kept)
    drawn = {}
    for i in np.sort(choose.scattered(len(maps.index))[:count]):
        flat = np.concatenate([grid[i].reshape(-1, grid.shape[-1]) for grid in maps.grids])
        shown = choose.highest(flat, [data.labels[maps.index[i]], maps.unoccluded[i].argmax()])
        codes = [encode.codes(encode.kept(grid[i], shown), encode.COARSE) for grid in maps.grids]
        tiles = encode.tiles(codes).astype(np.uint8)
        drawn[int(maps.index[i])] = shown.tolist(), encode.text(encode.png(tiles))
    return drawn


def encode_scores(answers: dict[str, Answers], held: np.ndarray) -> str:
    """Return the answers to the images that the page holds: uint16 (networks, m, classes)."""
    every = [np.concatenate([of.logits[name] for of in answers.values()]) for name in NETWORKS]
    codes = encode.codes(np.stack(every)[:, held], encode.FINE)
    return encode.text(codes.astype("<u2").tobytes())


def describe(
    data: Dataset, answers: dict[str, Answers], maps: list[Maps], tables: dict[str, pd.DataFrame]
) -> dict[str, Any]:
    """Return what the page says of the study as a whole."""
    accuracy = {name: right.mean() for name, right in answers["val"].correct().items()}
    return {
        "classes": data.classes,
        "networks": [
            {"name": name, "title": network.title, "color": network.color}
            for name, network in NETWORKS.items()
        ],
        "best": max(accuracy, key=accuracy.get),
        "splits": [
            {"name": split, "title": SPLIT_TITLES[split]}
            | describe_split(of, len(data.classes))
            | {"reliability": {name: bins(table, split) for name, table in tables.items()}}
            for split, of in answers.items()
        ],
        "thresholds": facts.THRESHOLDS,
        "occlusion": [describe_maps(of, data.labels[of.index]) for of in maps],
        "mean": to_hex(data.mean),
        "colors": {
            "classes": class_colors(len(data.classes)),
            "counts": shades("Blues"),
            "falls": shades("RdBu_r"),
            "right": RIGHT,
            "wrong": WRONG,
        },
        "side": SIDE,
        "reach": encode.REACH,
        "fine": encode.FINE,
        "coarse": encode.COARSE,
    }


def describe_maps(maps: Maps, actual: np.ndarray) -> dict[str, Any]:
    """Return what the page says of the maps of a network as a whole."""
    patches, fills = maps.about["patches"], maps.about["fills"]
    middle = heatmaps.middle(patches)
    described = maps.about | {"grids": [grid.shape[1:3] for grid in maps.grids], "middle": middle}
    if maps.masks is None:
        return described
    grid = maps.grids[patches.index(middle) * len(fills)]  # of the leading fill
    stride = maps.about["strides"][fills[0]]
    predicted = maps.unoccluded.argmax(axis=1)
    found = facts.pointing(grid, predicted, actual, maps.masks, middle, stride)
    return described | {"pointing": found}


def describe_split(of: Answers, classes: int) -> dict[str, Any]:
    """Return what the page says of all images of a split."""
    correct = of.correct()
    confidence = {name: softmax(logits, axis=1).max(axis=1) for name, logits in of.logits.items()}
    return {
        "images": len(of.index),
        "confusion": {
            name: facts.confusion(of.labels, logits.argmax(axis=1), classes)
            for name, logits in of.logits.items()
        },
        "coverage": {name: facts.coverage(confidence[name], correct[name]) for name in correct},
        "pairwise": facts.fourfold(correct),
    }


def bins(table: pd.DataFrame, split: str) -> list[list[float]]:
    """List the bins of a reliability diagram: low, high, images, confidence, accuracy."""
    own = table[table["split"] == split].drop(columns="split")
    return own.to_numpy(np.float64).tolist()


def describe_images(
    data: Dataset,
    answers: dict[str, Answers],
    held: np.ndarray,
    drawn: list[dict[int, tuple[list[int], str]]],
) -> list[list]:
    """List the images of the page: index, number of the split, true class, and its maps.

    Of these, the number of the network's among all maps, and the classes that they hold.
    """
    index = np.concatenate([of.index for of in answers.values()])[held]
    split = np.repeat(np.arange(len(SPLITS)), [len(of.index) for of in answers.values()])[held]
    return [
        [i, number, label, [[place, of[i][0]] for place, of in enumerate(drawn) if i in of]]
        for i, number, label in zip(
            index.tolist(), split.tolist(), data.labels[index].tolist(), strict=True
        )
    ]


def shades(name: str) -> list[str]:
    return [to_hex(color) for color in colormaps[name](np.linspace(0, 1, SHADES))]
