"""The pictures of one network, read back from the figures."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from stages.common.figures import RIGHT, WRONG
from stages.evaluate import draw

CLASSES = ["cat", "dog", "cow"]
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [2.0, 1.0, 0.5],
        "val_loss": [2.1, 1.2, 1.3],
        "train_accuracy": [0.2, 0.6, 0.9],
        "val_accuracy": [0.2, 0.5, 0.4],
        "test_accuracy": [0.1, 0.4, 0.45],
    }
)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_curves_show_every_column_and_the_kept_epoch():
    figure = draw.curves(HISTORY, 2, "Shallow CNN")
    loss, accuracy = figure.axes
    assert figure.get_suptitle() == "Shallow CNN"
    lines = {line.get_label(): line for line in loss.lines}
    assert list(lines) == ["train", "val", "kept epoch"]
    assert list(lines["val"].get_ydata()) == [2.1, 1.2, 1.3]
    assert list(lines["kept epoch"].get_xdata()) == [2, 2]
    lines = {line.get_label(): line for line in accuracy.lines}
    assert list(lines) == ["train", "val", "test", "kept epoch"]
    assert list(lines["test"].get_xdata()) == [1, 2, 3]
    assert list(lines["test"].get_ydata()) == [0.1, 0.4, 0.45]
    assert loss.get_ylabel().startswith("loss") and accuracy.get_ylabel() == "accuracy"
    assert loss.get_xlabel() == accuracy.get_xlabel() == "epoch"
    assert accuracy.get_ylim() == (0, 1) and loss.get_ylim()[0] == 0


def test_curves_of_one_epoch_can_be_drawn():
    draw.curves(HISTORY[:1], 1, "q1").canvas.draw()


def test_a_confusion_matrix_shows_counts_and_colours_shares():
    actual = np.array([0, 0, 0, 0, 1, 1])
    predicted = np.array([0, 0, 0, 1, 1, 0])
    figure = draw.confusion(actual, predicted, CLASSES, "Shallow CNN, val")
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["3", "1", "", "1", "1", "", "", "", ""]  # a row an actual class
    shares = axes.images[0].get_array()
    assert shares.tolist() == [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 0]]
    assert axes.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axes.get_xticklabels()] == CLASSES
    assert [label.get_text() for label in axes.get_yticklabels()] == CLASSES
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")
    assert figure.get_suptitle() == "Shallow CNN, val"


def gallery(rows, per_class=3):
    columns = ["gallery", "class", "rank", "index", "actual", "predicted", "score"]
    table = pd.DataFrame([["correct", *row] for row in rows], columns=columns)
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((96, 96, 3), np.uint8)
    figure = draw.gallery(images, table, CLASSES, per_class, "a gallery")
    return figure, np.array(figure.axes).reshape(len(CLASSES), per_class)


def test_a_gallery_has_a_row_a_class_with_class_prediction_and_score():
    figure, grid = gallery(
        [
            ["cat", 1, 7, "cat", "cat", 0.98765],
            ["cat", 2, 3, "cat", "cat", 0.5],
            ["dog", 1, 4, "dog", "cow", 0.75],
        ]
    )
    assert [axes.get_ylabel() for axes in grid[:, 0]] == CLASSES
    assert grid[0, 0].get_title() == "cat\n0.988"
    assert grid[0, 1].get_title() == "cat\n0.500"
    assert grid[1, 0].get_title() == "dog as cow\n0.750"
    assert grid[0, 0].title.get_color() == RIGHT and grid[1, 0].title.get_color() == WRONG
    assert (grid[0, 0].images[0].get_array() == 7).all()
    assert (grid[1, 0].images[0].get_array() == 4).all()
    titles = [axes.get_title() for axes in grid.flat]
    assert sum(map(bool, titles)) == sum(len(axes.images) for axes in grid.flat) == 3
    assert figure.get_suptitle() == "a gallery"


def test_a_class_without_an_image_says_so():
    _, grid = gallery([["cat", 1, 7, "cat", "cat", 0.9]])
    texts = [[text.get_text() for text in axes.texts] for axes in grid[:, 0]]
    assert texts == [[], ["none"], ["none"]]


def test_the_size_of_a_gallery_does_not_depend_on_its_images():
    empty, _ = gallery([])
    full, _ = gallery([[c, r, r, c, c, 0.5] for c in CLASSES for r in (1, 2, 3)])
    assert empty.get_size_inches().tolist() == full.get_size_inches().tolist()
