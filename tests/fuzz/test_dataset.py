"""What the stages after `split` read of `data/`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from stages.common import dataset
from tests.fuzz.conftest import fuzz, mutated, numbers
from tests.fuzz.test_npz import npy_header
from tests.fuzz.test_weights import FLOATS, JSON, METADATA

RAW, SPLIT = Path("data/raw"), Path("data/split")


def judge(path: Path, content: bytes) -> None:
    """Check that the parts fit together, and that each is what its file says."""
    path.write_bytes(content)
    data = dataset.load()
    source = json.loads((RAW / "source.json").read_text(encoding="utf-8"))
    statistics = json.loads((SPLIT / "statistics.json").read_text(encoding="utf-8"))
    assert data.classes == source["classes"] and 1 <= len(set(data.classes)) == len(data.classes)
    for values, given in ((data.mean, statistics["mean"]), (data.std, statistics["std"])):
        assert values.shape == (3,) and values.dtype == np.float64 and values.tolist() == given
        assert np.isfinite(values.astype(np.float32)).all()
    assert (data.std.astype(np.float32) > 0).all()
    with open(SPLIT / "split.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    count = len(data.images)
    assert data.images.dtype == np.uint8 and data.images.shape == (count, 96, 96, 3)
    assert np.array_equal(data.images, np.load(RAW / "images.npy", allow_pickle=False))
    assert [float(row["index"]) for row in rows] == list(range(count))
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [float(row["label"]) for row in rows]
    assert all(0 <= label < len(data.classes) for label in data.labels)
    for name, members in data.splits.items():
        assert members.tolist() == [i for i, row in enumerate(rows) if row["split"] == name]
    assert sum(map(len, data.splits.values())) == count


@pytest.mark.parametrize(
    "path", [RAW / "source.json", SPLIT / "statistics.json", SPLIT / "split.csv"], ids=str
)
def test_a_damaged_text(study, path):
    content = path.read_bytes()
    judge(path, content)
    inputs = st.just(content) | mutated(content)
    fuzz(lambda changed: judge(path, changed), inputs, examples=100)


def test_damaged_images(study):
    path = RAW / "images.npy"
    content = path.read_bytes()
    judge(path, content)
    # hypothesis remembers what it draws: the images themselves would fill the memory
    head, rest = content[:200], content[200:]
    fields = numbers(0, 16, "little")
    heads = mutated(head, fields) | st.just(head[:8] + b"\x28\x23" + b"-" * 9000)
    fuzz(lambda changed: judge(path, changed + rest), heads, examples=100)
    pixels = study.images.tobytes()
    header = npy_header(study.images)
    fuzz(lambda changed: judge(path, changed + pixels), header, examples=100)


def test_a_source_that_says_something_else(study):
    path = RAW / "source.json"
    classes = METADATA["classes"] | st.just(["dark", "bright"]) | JSON
    contents = classes.map(lambda names: {"classes": names}) | JSON
    encoded = contents.map(lambda value: json.dumps(value).encode())
    fuzz(lambda content: judge(path, content), encoded | st.just(b"[" * 10**5), examples=100)


def test_statistics_that_say_something_else(study):
    path = SPLIT / "statistics.json"
    three = st.lists(FLOATS, min_size=2, max_size=4) | st.just([0.5] * 3) | JSON
    contents = st.fixed_dictionaries({}, optional={"mean": three, "std": three})
    encoded = contents.map(lambda value: json.dumps(value).encode())
    fuzz(lambda content: judge(path, content), encoded, examples=100)


def test_a_split_that_says_something_else(study):
    path = SPLIT / "split.csv"
    lines = path.read_text().splitlines()
    cells = ["", "0", "1", "2", "-1", "1.0", "1e0", " 1", "NA", "train", "test", "Train", "0x1"]
    cells += ['"1"', '"', "9" * 30, "True", "\x00", "1\n1", "label"]

    @st.composite
    def tables(draw):
        rows = [line.split(",") for line in lines]
        for _ in range(draw(st.integers(1, 2))):
            at = draw(st.integers(0, len(rows) - 1))
            match draw(st.sampled_from(["cell", "cell", "cell", "drop", "twice", "more"])):
                case "cell":
                    column = draw(st.integers(0, 2))
                    rows[at][column : column + 1] = [draw(st.sampled_from(cells))]
                case "drop" if len(rows) > 1:
                    del rows[at]
                case "twice":
                    rows.insert(at, rows[at])
                case "more":
                    rows[at] = [*rows[at], "x"]
        return "\n".join(map(",".join, rows)).encode()

    fuzz(lambda content: judge(path, content), tables(), examples=100)
