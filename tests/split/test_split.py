"""The command `python -m stages.split`."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.common.base.errors import InputError
from stages.split.__main__ import main
from tests.conftest import assert_one_line, snapshot


def table() -> pd.DataFrame:
    return pd.read_csv("data/split/split.csv")


def test_the_command_writes_table_and_statistics(study):
    study.images[3] = study.images[5]
    study.write_raw()
    result = study.run("split")
    assert result.returncode == 0, result.stderr
    # the two duplicates may move a cut by one image
    pattern = r"split by parts: 1[5-7] train, [3-5] val, [5-7] test; 1 exact duplicates"
    assert re.fullmatch(pattern, result.stdout.splitlines()[-1])
    assert sorted(path.name for path in Path("data/split").iterdir()) == [
        "split.csv",
        "statistics.json",
    ]
    assert [path.name for path in Path("plots/split").iterdir()] == ["contact_sheet.png"]
    written = table()
    assert list(written) == ["index", "label", "split"]
    assert written["index"].tolist() == list(range(26))
    assert written["label"].tolist() == study.labels.tolist()
    assert written["split"][3] == written["split"][5]
    assert b"\r" not in Path("data/split/split.csv").read_bytes()

    statistics = json.loads(Path("data/split/statistics.json").read_text())
    assert statistics["protocol"] == "parts"
    assert statistics["duplicates"] == {"images": 1, "across_splits": 0}
    assert statistics["images"]["train"]["by_class"]["bright"] == 8
    train = study.images[written["split"] == "train"].reshape(-1, 3) / 255
    np.testing.assert_allclose(statistics["mean"], train.mean(axis=0), atol=6e-7)
    np.testing.assert_allclose(statistics["std"], train.std(axis=0), atol=6e-7)


@pytest.mark.parametrize(
    "parts", [[8, 0, 3], [0, 0, 0], [8, 2, -3], [8, 2], [8, 2, 3, 1], [8, 2.5, 3]]
)
def test_parts_that_are_not_parts_are_refused_before_anything_is_written(study, parts):
    before = snapshot("data")
    study.write_params(split={"parts": parts})
    result = study.run("split")
    assert_one_line(result, "params.yaml: split.parts")
    assert snapshot("data") == before


def test_parts_that_leave_a_side_empty_are_refused(study):
    before = snapshot("data")
    study.write_params(split={"parts": [100, 1, 1]})
    assert_one_line(study.run("split"), "'dark' has no image in val", "split.parts")
    assert snapshot("data") == before


def test_the_sources_own_split_is_refused_where_there_is_none(study):
    before = snapshot("data")
    study.write_params(split={"protocol": "source"})
    result = study.run("split")
    assert_one_line(result, "split.protocol is 'source'", "sample", "parts or auto")
    assert snapshot("data") == before


@pytest.mark.parametrize("protocol", ["auto", "source"])
def test_an_npz_keeps_its_own_split(study, protocol):
    # a source lists its images group by group
    groups = [("train", 16), ("val", 4), ("test", 6)]
    study.labels = np.arange(26) % 2
    study.write_raw("npz", [{"origin": origin, "count": count} for origin, count in groups])
    study.write_params(split={"protocol": protocol})
    main()
    expected = [origin for origin, count in groups for _ in range(count)]
    assert table()["split"].tolist() == expected
    assert json.loads(Path("data/split/statistics.json").read_text())["protocol"] == "source"


@pytest.mark.parametrize("order", [("train", "test"), ("test", "train")])
def test_the_official_protocol_takes_validation_from_train(study, order):
    study.labels = np.arange(26) % 2
    count = {"train": 20, "test": 6}
    study.write_raw("stl10", [{"origin": side, "count": count[side]} for side in order])
    study.write_params(split={"protocol": "source"})
    main()
    written = table()["split"]
    assert written.value_counts().to_dict() == {"train": 16, "val": 4, "test": 6}
    test = written[:6] if order[0] == "test" else written[20:]
    assert (test == "test").all()


def test_missing_images_end_in_one_line(study):
    Path("data/raw/source.json").unlink()
    with pytest.raises(InputError, match="data/raw/source.json is not there"):
        main()
