"""Pictures of several networks, read back from the figures."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from stages.common.study import NETWORKS
from stages.compare import draw


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_curves_of_all_networks_in_one_picture_each_in_its_colour():
    table = pd.DataFrame(
        {
            "network": ["q1", "q1", "better"],
            "epoch": [1, 2, 1],
            "train_loss": [2.0, 1.0, 1.5],
            "val_loss": [2.1, 1.1, 1.6],
            "train_accuracy": [0.1, 0.2, 0.3],
            "val_accuracy": [0.4, 0.5, 0.6],
        }
    )
    figure = draw.curves(table, pd.Series({"q1": 2, "better": 1}))
    loss, accuracy = figure.axes
    lines = [line for line in accuracy.lines if line.get_marker() != "o"]
    drawn = {(line.get_color(), line.get_linestyle()): list(line.get_ydata()) for line in lines}
    assert drawn == {
        (NETWORKS["q1"].color, ":"): [0.1, 0.2],
        (NETWORKS["q1"].color, "-"): [0.4, 0.5],
        (NETWORKS["better"].color, ":"): [0.3],
        (NETWORKS["better"].color, "-"): [0.6],
    }
    dots = [line.get_xydata()[0].tolist() for line in loss.lines if line.get_marker() == "o"]
    assert dots == [[2, 1.0], [2, 1.1], [1, 1.5], [1, 1.6]]
    assert legend(figure)[:2] == [NETWORKS[name].title for name in ("q1", "better")]


def test_bars_of_each_class_stand_beside_each_other():
    rows = [
        (name, split, label, share, share / 2, share / 4)
        for name, base in (("q1", 0.4), ("better", 0.8))
        for split in ("val", "test")
        for label, share in (("dog", base), ("cat", base / 2))
    ]
    columns = ["network", "split", "class", "recall", "precision", "f1"]
    figure = draw.classes(pd.DataFrame(rows, columns=columns), "test")
    recall, precision, f1 = figure.axes
    assert [bar.get_height() for bar in recall.patches] == [0.4, 0.2, 0.8, 0.4]
    assert [bar.get_height() for bar in f1.patches] == [0.1, 0.05, 0.2, 0.1]
    assert [colors.to_hex(bar.get_facecolor()) for bar in precision.patches] == [
        *[NETWORKS["q1"].color] * 2,
        *[NETWORKS["better"].color] * 2,
    ]
    assert [text.get_text() for text in f1.get_xticklabels()] == ["dog", "cat"]
    left, right = recall.patches[0], recall.patches[2]
    assert left.get_x() + left.get_width() == pytest.approx(right.get_x())


def test_reliability_shows_a_bar_a_bin_and_the_share_of_images_in_it():
    columns = ["network", "split", "low", "high", "images", "confidence", "accuracy"]
    rows = [
        ("q1", "test", 0.5, 0.75, 1, 0.6, 0.25),
        ("q1", "test", 0.75, 1.0, 3, 0.9, 1.0),
        ("q1", "val", 0.0, 0.25, 9, 0.1, 0.5),
    ]
    metrics = {"q1": {"test": {"expected_calibration_error": 0.1234}}}
    figure = draw.reliability(pd.DataFrame(rows, columns=columns), metrics, "test")
    above, below = figure.axes
    assert [(bar.get_x(), bar.get_height()) for bar in above.patches] == [(0.5, 0.25), (0.75, 1)]
    assert [bar.get_height() for bar in below.patches] == [0.25, 0.75]
    assert above.get_title().endswith(" 12.3%")


def test_cost_has_a_dot_with_its_interval_for_each_network():
    table = pd.DataFrame(
        {
            "network": ["q1", "better"],
            "parameters": [4000, 2000],
            "training_multiply_accumulates": [3 * 10**12, 10**12],
            "test_accuracy": [0.5, 0.75],
            "test_low": [0.4, 0.75],
            "test_high": [0.7, 0.8],
        }
    )
    figure = draw.cost(table)
    parameters, work = figure.axes
    for axes, places in ((parameters, [4, 2]), (work, [3, 1])):
        assert [bar.lines[0].get_xdata()[0] for bar in axes.containers] == places
        ends = [bar.lines[2][0].get_segments()[0][:, 1] for bar in axes.containers]
        assert ends[0].tolist() == pytest.approx([0.4, 0.7])
        assert ends[1].tolist() == pytest.approx([0.75, 0.8])
    assert legend(figure) == [NETWORKS[name].title for name in ("q1", "better")]


def test_a_difference_is_in_points_and_blue_where_it_is_better():
    before, after = np.array([[2, 2], [0, 4]]), np.array([[4, 0], [1, 3]])
    figure = draw.difference(before, after, ["cat", "dog"], "from one to another")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["+50", "-50", "+25", "-25"]
    assert axes.images[0].get_array().tolist() == [[50, 50], [-25, -25]]
