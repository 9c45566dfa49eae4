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


def named(axes):
    return {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}


def dots(axes):
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    return [(line.get_xdata()[0], line.get_ydata().item()) for line in lines]


def test_curves_show_every_column_and_the_kept_epoch():
    figure = draw.curves(HISTORY, 2, "Shallow CNN", "#0072b2")
    loss, accuracy = figure.axes
    lines = named(loss)
    assert list(lines) == ["train (a sample)", "validation"]
    assert list(lines["validation"].get_ydata()) == [2.1, 1.2, 1.3]
    lines = named(accuracy)
    assert list(lines) == ["train (a sample)", "validation", "test"]
    assert list(lines["test"].get_xdata()) == [1, 2, 3]
    assert list(lines["test"].get_ydata()) == [0.1, 0.4, 0.45]
    assert {line.get_color() for line in lines.values()} == {"#0072b2"}
    assert len({line.get_linestyle() for line in lines.values()}) == 3
    assert dots(loss) == [(2, 1.0), (2, 1.2)]
    assert dots(accuracy) == [(2, 0.6), (2, 0.5), (2, 0.4)]


def test_augmented_images_stand_in_a_row_beside_the_one_they_are_made_of():
    levels = 8 * np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    views = levels[..., None, None, None] + np.zeros((96, 96, 3), "u1")
    figure = draw.augmented(views, CLASSES[:2], "augmented")
    page = figure.images[0].get_array()
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert list(places) == ["cat", "dog", "image", "epoch 1", "epoch 2"]
    for row, name in enumerate(("cat", "dog")):
        for column, words in enumerate(("image", "epoch 1", "epoch 2")):
            x, y = round(places[words][0]), round(places[name][1])
            pixels = page[y - 30 : y + 30, x - 30 : x + 30]
            assert np.ptp(pixels) == 0
            assert abs(int(pixels[0, 0, 0]) - int(levels[row, column])) <= 4


def test_a_confusion_matrix_shows_counts_and_colours_shares():
    counts = np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    figure = draw.confusion(counts, CLASSES, "Shallow CNN, val")
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    # a row a true class
    assert texts == ["3\n75%", "1\n25%", "", "1\n50%", "1\n50%", "", "", "", ""]
    # white on dark blue alone, whatever the largest share of this matrix is
    assert [text.get_color() for text in axes.texts[:5]] == ["white", *["black"] * 4]
    shares = axes.images[0].get_array()
    assert shares.tolist() == [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 0]]
    assert axes.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axes.get_xticklabels()] == CLASSES
    assert [label.get_text() for label in axes.get_yticklabels()] == CLASSES
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true class")
    assert figure.get_suptitle() == "Shallow CNN, val: 4 of 6 right, 66.7%"


def test_a_confusion_matrix_of_many_classes_has_colours_alone_and_cuts_long_names():
    classes = [f"a class with a long name {i}" for i in range(30)]
    figure = draw.confusion(np.eye(30, dtype=int), classes, "")
    assert not figure.axes[0].texts
    assert max(len(text.get_text()) for text in figure.axes[0].get_xticklabels()) == 16
    assert max(figure.get_size_inches()) < 12


@pytest.mark.parametrize("count", [20, 41, 75, 200, 256])
def test_the_names_at_a_confusion_matrix_do_not_overprint(count):
    classes = [f"{number} of {count} long names" for number in range(count)]
    figure = draw.confusion(np.eye(count, dtype=int), classes, "")
    figure.canvas.draw()
    axes = figure.axes[0]
    height = axes.get_yticklabels()[0].get_window_extent().height
    for axis, turned in ((axes.yaxis, 1), (axes.xaxis, np.sqrt(0.5))):  # by 45 degrees
        first, second, *others = axis.get_ticklocs()
        assert len(others) >= 18
        assert (second - first) * axes.bbox.height / count * turned >= height


def test_a_gallery_of_many_classes_shows_those_of_the_highest_scores_and_says_so():
    names = [f"class {number:02}" for number in range(30)]
    rows = [["correct", name, 1, 0, name, name, (7 * i % 30) / 30] for i, name in enumerate(names)]
    columns = ["gallery", "class", "rank", "index", "actual", "predicted", "score"]
    table = pd.DataFrame(rows, columns=columns)
    images = np.zeros((1, 96, 96, 3), np.uint8)
    figure = draw.gallery(images, table, names, 5, "a gallery")
    expected = set(table.nlargest(10, "score")["class"])
    labels = [text.get_text() for text in figure.axes[0].texts if "\n" not in text.get_text()]
    assert labels == sorted(expected)
    assert [text.get_text()[:16] for text in figure.texts[1:]] == ["10 of 30 classes"]


def gallery(rows, per_class=3):
    columns = ["gallery", "class", "rank", "index", "actual", "predicted", "score"]
    table = pd.DataFrame([["correct", *row] for row in rows], columns=columns)
    images = 8 * np.arange(10, dtype=np.uint8)[:, None, None, None] + np.zeros((96, 96, 3), "u1")
    figure = draw.gallery(images, table, CLASSES, per_class, "a gallery")
    return figure, figure.images[0].get_array(), {t.get_text(): t for t in figure.axes[0].texts}


def shown(page, text):
    """Return the grey value of the image beneath a text, as its number."""
    x, y = map(round, text.get_position())
    pixels = page[y + 20 : y + 100, x - 40 : x + 40]
    assert np.ptp(pixels) == 0
    return round(pixels[0, 0, 0] / 8)


def test_a_gallery_has_a_row_a_class_with_class_prediction_and_score():
    _, page, texts = gallery(
        [
            ["cat", 1, 7, "cat", "cat", 0.98765],
            ["cat", 2, 3, "cat", "cat", 0.5],
            ["dog", 1, 4, "dog", "cow", 0.75],
        ]
    )
    first, second, wrong = "cat\n0.988", "cat\n0.500", "dog as cow\n0.750"
    assert list(texts) == ["cat", "dog", "cow", "none", first, second, wrong]
    assert texts[first].get_color() == RIGHT and texts[wrong].get_color() == WRONG
    assert [shown(page, texts[name]) for name in (first, second, wrong)] == [7, 3, 4]
    places = [texts[name].get_position() for name in (first, second, wrong)]
    assert places[0][1] == places[1][1] < places[2][1]
    assert places[0][0] == places[2][0] < places[1][0]
    # each class stands beside its images
    assert places[0][1] < texts["cat"].get_position()[1] < places[2][1]


def test_a_class_without_an_image_says_so_in_a_line():
    figure, page, texts = gallery([["cat", 1, 7, "cat", "cat", 0.9]])
    none = [text for text in figure.axes[0].texts if text.get_text() == "none"]
    lines = [texts[name].get_position()[1] for name in ("dog", "cow")]
    assert [text.get_position()[1] for text in none] == lines
    assert 12 < lines[1] - lines[0] < 48
    below = round(texts["cat"].get_position()[1]) + 48
    assert (page[below:] == 255).all() and (page[below - 1] < 255).any()
