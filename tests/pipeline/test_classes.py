"""The whole pipeline on few and on many classes, from a folder of tiny images.

Ten classes are those of the other tests.
"""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from stages.report.typeset import LARGEST
from tests.pipeline.conftest import Clone, stages_run

NETWORKS = ["q1", "q2", "augment", "better"]
LARGEST_PICTURE = 3000  # pixels, of either side
LEAST_WORK = {
    "split": {"parts": [1, 1, 1]},
    "train": {"epochs": 1},
    "train_better": {"sizes": [64]},
    "evaluate": {"test_time_augmentation": "none"},
    "occlusion": {"patches": [96], "stride": 96},
}


def photographs(folder, count: int) -> list[str]:
    """Write the least of images a class, one for each part; return the names of the classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 8, 8, 3), np.uint8)
    names = [f"{number:03} of {count} classes" for number in range(count)]
    for name, images in zip(names, pixels, strict=True):
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / name / f"{number}.png")
    return names


def cells(clone: Clone, split: str) -> list[dict[str, str]]:
    with open(clone / f"plots/compare/confusion_{split}.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("count", [2, 41, pytest.param(200, marks=pytest.mark.long)])
def test_any_number_of_classes_runs_through(fresh_clone, tmp_path, count):
    clone = fresh_clone.copy(tmp_path / "project")
    names = photographs(tmp_path / "photos", count)
    source = {"source": "folder", "path": str(tmp_path / "photos"), "per_class": None}
    clone.set_params(LEAST_WORK | {"download": source})
    assert len(stages_run(clone.dvc("repro"))) == 15

    assert (clone / "report/report.pdf").stat().st_size < LARGEST
    for path in (clone / "plots").rglob("*.png"):
        with Image.open(path) as picture:
            assert max(picture.size) <= LARGEST_PICTURE, path
    for network in NETWORKS:
        metrics = json.loads((clone / f"metrics/{network}.json").read_text())
        for split in ("train", "val", "test"):
            own = [row for row in cells(clone, split) if row["network"] == network]
            assert sum(int(row["images"]) for row in own) == count
            right = [int(row["images"]) for row in own if row["actual"] == row["predicted"]]
            assert sum(right) / count == pytest.approx(metrics[split]["accuracy"], abs=1e-4)
            # a chart takes the classes of its axes, and their order, from the rows
            for axis in ("actual", "predicted"):
                assert list(dict.fromkeys(row[axis] for row in own)) == names
            assert len(own) <= max(4, 3 * count)
