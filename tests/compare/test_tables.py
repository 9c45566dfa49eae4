"""Tables of several networks, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from stages.common.confusion import row_shares
from stages.common.tables.training import HISTORY
from stages.compare import tables

CURVES = [name for name in HISTORY if name != "lr"]

NAMES = ["cat", "dog"]


def measured(accuracy):
    part = {"accuracy": accuracy, "accuracy_interval": {"low": accuracy - 0.1, "high": 1.0}}
    return {
        "best_epoch": 2,
        "parameters": 10,
        "multiply_accumulates": 1000,
        "val": part | {"accuracy": accuracy - 0.25},
        "test": part,
    }


def answers():
    rows = [("q1", "cat", "cat")] * 3 + [("q1", "cat", "dog")] + [("q1", "dog", "dog")] * 2
    rows += [("q2", "cat", "cat")] * 4 + [("q2", "dog", "cat")] * 2
    return pd.DataFrame(rows, columns=["network", "actual", "predicted"])


def test_the_overview_sets_accuracy_beside_cost():
    curves = pd.DataFrame({"network": ["q1", "q1", "q2"], "epoch": [1, 2, 1]})
    table = tables.overview({"q1": measured(0.5), "q2": measured(0.75)}, curves, images=8)
    assert table["network"].tolist() == ["q1", "q2"]
    assert table["epochs"].tolist() == [2, 1]
    # three times 1000 for each of 8 images in each epoch
    assert table["training_multiply_accumulates"].tolist() == [48_000, 24_000]
    assert table["val_accuracy"].tolist() == [0.25, 0.5]
    assert table["test_low"].tolist() == pytest.approx([0.4, 0.65])


def test_the_summary_has_an_accuracy_a_network_and_part():
    assert tables.summary({"q1": measured(0.5), "better": measured(0.75)}) == {
        "val_accuracy": {"q1": 0.25, "better": 0.5},
        "test_accuracy": {"q1": 0.5, "better": 0.75},
    }


def test_counts_of_each_network():
    assert tables.confusion(answers(), "q1", NAMES).tolist() == [[3, 1], [0, 2]]
    counts = tables.confusion(answers(), "q2", [*NAMES, "cow"])
    assert counts.tolist() == [[4, 0, 0], [2, 0, 0], [0, 0, 0]]
    assert row_shares(counts).tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_cells_list_every_pair_of_classes():
    table = tables.cells(answers(), NAMES)
    assert len(table) == 2 * 4
    assert table.iloc[1].tolist() == ["q1", "cat", "dog", 1, 0.25]
    assert table.groupby("network")["images"].sum().tolist() == [6, 6]


def test_cells_of_many_classes_are_those_with_images_and_what_names_the_axes():
    names = [f"class {number}" for number in range(21)]
    pairs = pd.DataFrame({"network": "q1", "actual": names[5], "predicted": names[7:9]})
    table = tables.cells(pd.concat([pairs, pairs.assign(network="q2")]), names)
    for _, own in table.groupby("network"):
        assert len(own) == 2 + 2 * 21 - 1
        assert own["actual"].unique().tolist() == own["predicted"].unique().tolist() == names
        counted = own[own["images"] > 0]
        assert counted[["actual", "predicted"]].to_numpy().tolist() == [
            ["class 5", "class 7"],
            ["class 5", "class 8"],
        ]
        assert counted["share"].tolist() == [0.5, 0.5]


def test_curves_in_the_long_form_have_no_loss_of_the_test_part():
    columns = {name: [value] for value, name in enumerate(CURVES)}
    table = tables.long_curves(pd.DataFrame({"network": ["q1"]} | columns))
    assert list(table) == ["network", "epoch", "split", "loss", "accuracy"]
    assert table["split"].tolist() == ["train", "val", "test"]
    assert table["loss"].tolist()[:2] == [1, 2] and np.isnan(table["loss"].iloc[2])
    assert table["accuracy"].tolist() == [3, 4, 5]
