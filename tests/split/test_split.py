"""The command `python -m stages.split`."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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

    statistics = json.loads(Path("data/split/statistics.json").read_text())
    assert statistics["protocol"] == "parts"
    assert statistics["duplicates"] == {"images": 1, "across_splits": 0}
    assert statistics["images"]["train"]["by_class"]["bright"] == 8
    train = study.images[written["split"] == "train"].reshape(-1, 3) / 255
    np.testing.assert_allclose(statistics["mean"], train.mean(axis=0), atol=6e-7)
    np.testing.assert_allclose(statistics["std"], train.std(axis=0), atol=6e-7)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"parts": [8, 0, 3]}, "params.yaml: split.parts"),
        ({"parts": [8, 2]}, "params.yaml: split.parts"),
        ({"parts": [100, 1, 1]}, "'dark' has no image in val"),
        ({"protocol": "source"}, "split.protocol is 'source': the source sample has no split"),
        ({"protocol": "source", "fold": 0}, "the source sample has no split"),
        ({"fold": 0}, "split.fold is 0: a fold is a part of the source's own train"),
        ({"fold": 10}, "params.yaml: split.fold"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused_before_anything_is_written(study, changes, words):
    before = snapshot("data")
    study.write_params(split=changes)
    assert_one_line(study.run("split"), words)
    assert snapshot("data") == before


@pytest.mark.parametrize("protocol", ["auto", "source"])
@pytest.mark.parametrize("source", ["npz", "folder"])
def test_a_source_keeps_its_own_split(study, protocol, source):
    # a source lists its images group by group
    groups = [("train", 16), ("val", 4), ("test", 6)]
    study.labels = np.arange(26) % 2
    study.write_raw(source, [{"origin": origin, "count": count} for origin, count in groups])
    study.write_params(split={"protocol": protocol})
    main()
    expected = [origin for origin, count in groups for _ in range(count)]
    assert table()["split"].tolist() == expected
    assert json.loads(Path("data/split/statistics.json").read_text())["protocol"] == "source"


@pytest.mark.parametrize("order", [("train", "test"), ("test", "train")])
@pytest.mark.parametrize(("source", "protocol"), [("stl10", "source"), ("folder", "auto")])
def test_the_official_protocol_takes_validation_from_train(study, order, source, protocol):
    study.labels = np.arange(26) % 2
    count = {"train": 20, "test": 6}
    study.write_raw(source, [{"origin": side, "count": count[side]} for side in order])
    study.write_params(split={"protocol": protocol})
    main()
    written = table()["split"]
    assert written.value_counts().to_dict() == {"train": 16, "val": 4, "test": 6}
    test = written[:6] if order[0] == "test" else written[20:]
    assert (test == "test").all()


def test_a_published_fold_is_trained_on_and_the_rest_of_train_is_validation(study):
    study.labels = np.arange(26) % 2
    groups = [{"origin": "test", "count": 6}, {"origin": "train", "count": 20}]
    study.write_raw("stl10", groups)
    study.write_params(split={"protocol": "source", "fold": 3})
    assert_one_line(study.run("split"), "split.fold is 3, and data/raw/folds.npy is not there")
    folds = 6 + np.random.default_rng(0).permuted([np.arange(20)] * 10, axis=1)[:, :5]
    np.save("data/raw/folds.npy", folds)
    main()
    written = table()["split"]
    assert np.flatnonzero(written == "train").tolist() == sorted(folds[3])
    assert written.value_counts().to_dict() == {"val": 15, "test": 6, "train": 5}
    assert (written[:6] == "test").all()
    assert json.loads(Path("data/split/statistics.json").read_text())["fold"] == 3
