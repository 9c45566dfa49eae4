"""Photographs that are nearly the same, found among others."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.download.sample.pictures import draw
from tests.conftest import assert_one_line
from tools import near_duplicates

COUNT = 120


def compressed(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=30)
    return np.asarray(Image.open(buffer))


EDITS = {
    "the same": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "JPEG": compressed,
    "darker": lambda image: (255 * (image / 255) ** 1.7).astype(np.uint8),
    "grey": lambda image: np.repeat(image.mean(axis=2, keepdims=True), 3, 2).astype(np.uint8),
    "cropped": lambda image: np.asarray(Image.fromarray(image[3:, 2:93]).resize((96, 96))),
    "moved": lambda image: np.roll(image, (2, -2), axis=(0, 1)),
}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Drawings of the ten classes, and behind them an edited copy of some."""
    drawn = np.stack([image for image, _ in draw(COUNT // 10, 0)])
    copies = [edit(drawn[16 * number]) for number, edit in enumerate(EDITS.values())]
    return np.concatenate([drawn, copies])


def test_each_edited_copy_is_found_and_nothing_else(images):
    found = near_duplicates.find(images, 0.8)
    pairs = found[["first", "second"]].sort_values("second").to_numpy().tolist()
    assert pairs == [[16 * number, COUNT + number] for number in range(len(EDITS))]
    mirrored = found.loc[found["mirrored"], "second"].tolist()
    assert mirrored == [COUNT + list(EDITS).index("mirrored")]
    assert found["score"].is_monotonic_decreasing and found["score"][0] == pytest.approx(1)
    plain = np.full((3, 96, 96, 3), 7, np.uint8)  # without any contrast
    assert len(near_duplicates.find(plain, 0.8)) == 0


def test_the_command_tells_classes_and_parts_and_draws_the_pairs(study, images):
    study.images = images[-26:].copy()
    study.images[25] = EDITS["JPEG"](study.images[0])
    study.write_raw()
    result = study.run("tools.near_duplicates", "--threshold", "0.9", "--sheet", "pairs.png")
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(io.StringIO(result.stdout))
    row = table[table["second"] == 25].iloc[0]
    assert row["first"] == 0 and row["score"] > 0.9
    told = row[["first_class", "first_split", "second_class", "second_split"]].tolist()
    assert told == ["dark", "train", "bright", "test"]
    assert Image.open("pairs.png").size == (200 * 6, 104 * -(-len(table) // 6))


@pytest.mark.parametrize("sheet, words", [("pairs", "the name of a PNG"), ("mine.png", "is there")])
def test_a_sheet_that_cannot_be_written_is_told_before_anything_is_compared(study, sheet, words):
    Path("mine.png").write_bytes(b"mine")
    result = study.run("tools.near_duplicates", "--sheet", sheet)
    assert_one_line(result, "--sheet", words)
    assert Path("mine.png").read_bytes() == b"mine"


def test_without_data_it_ends_in_one_line(study):
    shutil.rmtree("data")
    assert_one_line(study.run("tools.near_duplicates"), "data/raw/source.json is not there")
