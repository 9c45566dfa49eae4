"""What was measured, read back from the charts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from stages.occlusion import charts


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_what_the_size_changes_is_drawn_as_it_was_measured():
    table = pd.DataFrame(
        {
            "patch": [32, 8],
            "largest_drop_correct": [0.8, 0.2],
            "flip_share_correct": [0.3, 0.1],
            "largest_drop_misclassified": [0.7, None],
            "flip_share_misclassified": [0.4, None],
        }
    )
    agreement = {"correct": {"32_8": 0.25}, "misclassified": {"32_8": None}}
    figure = charts.sizes(table, agreement, "sizes")
    drop, flips, agrees = figure.axes
    lines = {line.get_label(): line for line in drop.lines}
    assert lines["correct"].get_xdata().tolist() == [8, 32]
    assert lines["correct"].get_ydata().tolist() == [0.2, 0.8]
    assert lines["misclassified"].get_ydata()[1] == 0.7
    assert {line.get_label(): line for line in flips.lines}["correct"].get_ydata()[0] == 0.1
    assert [bar.get_height() for bar in agrees.patches][0] == 0.25
    assert [text.get_text() for text in agrees.get_xticklabels()] == ["32 and 8"]
    figure.canvas.draw()


def test_a_random_order_is_read_from_both_ends():
    curves = {"correct": np.array([[1, 0.2, 0], [1, 0.8, 0], [0, 0.9, 1]])}
    figure = charts.trust(curves, np.array([0, 0.25, 1]), "trust")
    drawn = [[line.get_xydata().T.tolist() for line in axes.lines] for axes in figure.axes]
    shares, shown = [0, 0.25, 1], [1, 0.75, 0]
    hiding = [[shares, [1, 0.2, 0]], [shares, [1, 0.8, 0]]]
    assert drawn == [hiding, [[shares, [0, 0.9, 1]], [shown, [1, 0.8, 0]]]]
    charts.trust({}, np.array([0, 1]), "of nothing").canvas.draw()
