"""Sheets of heatmaps, read back from the figures."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from stages.occlusion import draw


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_spread_puts_values_at_the_centres_of_their_patches():
    heatmap = np.arange(9.0).reshape(3, 3)
    # patch 5, stride 4 on 13 pixels: centres 2, 6 and 10
    full = draw.spread(heatmap, patch=5, stride=4, size=13)
    assert full.shape == (13, 13)
    assert full[np.ix_([2, 6, 10], [2, 6, 10])].tolist() == heatmap.tolist()
    assert full[3, 2] == full[1, 2] == 0  # the nearest centre is 2
    assert full[6, 7] == full[5, 5] == 4
    assert full[12, 12] == 8  # half a stride away still counts
    # pixels at more than half a stride from every centre are not covered
    assert not np.isnan(full[:, 0]).any()
    assert np.isnan(draw.spread(heatmap, patch=5, stride=4, size=16)[13:]).all()


def test_spread_leaves_the_margin_that_no_centre_reaches_empty():
    full = draw.spread(np.ones((1, 1)), patch=96, stride=6, size=96)
    # the one centre is at 47.5: pixels 45 to 50 are within 3 of it
    assert np.argwhere(~np.isnan(full[47])).ravel().tolist() == list(range(45, 51))
    full = draw.spread(np.ones((65, 65)), patch=32, stride=1, size=96)
    assert np.argwhere(~np.isnan(full[40])).ravel().tolist() == list(range(15, 81))


def test_an_overlay_is_grey_where_nothing_moves_and_coloured_where_the_score_falls():
    image = np.full((2, 2, 3), 255, np.uint8)
    drop = np.array([[0.0, 1.0], [-1.0, 0.001]])
    shown = draw.overlay(image, drop)
    np.testing.assert_allclose(shown[0, 0], 1)  # the white image itself
    np.testing.assert_allclose(draw.overlay(np.zeros_like(image), drop)[0, 0], 0)
    red, blue, faint = shown[0, 1], shown[1, 0], shown[1, 1]
    assert red[0] > red[2] + 0.2 and blue[2] > blue[0] + 0.2
    assert (faint > 0.9).all()


def row(targets=("cat",), patches=(8, 16), actual="cat"):
    sides = [(96 - patch) // 8 + 1 for patch in patches]
    drops = [np.full((side, side, len(targets)), 0.5) for side in sides]
    return draw.Row(np.full((96, 96, 3), 99, np.uint8), actual, list(targets), drops)


def grid(figure, rows):
    cells = np.array(figure.axes[:-1])  # the last is the colour bar
    return cells.reshape(rows, -1), figure.axes[-1]


def test_a_sheet_shows_image_map_and_overlay_for_each_patch():
    figure = draw.sheet([row(), None], [8, 16], 8, "a sheet")
    cells, bar = grid(figure, 2)
    titles = [axes.get_title() for axes in cells[0]]
    assert titles == ["cat", "cat, patch 8", "", "cat, patch 16", ""]
    assert [len(axes.images) for axes in cells[0]] == [1] * 5
    assert (cells[0, 0].images[0].get_array() == 99).all()
    assert [text.get_text() for text in cells[1, 0].texts] == ["none"]
    assert [len(axes.images) for axes in cells[1]] == [0] * 5
    assert "lowers the score" in bar.get_ylabel()
    assert figure.get_suptitle() == "a sheet"


def test_a_misclassified_image_is_mapped_for_both_classes():
    rows = [row(("dog", "cat")), row(("cow", "cat"))]
    cells, _ = grid(draw.sheet(rows, [8, 16], 8, "a sheet", maps=2), 2)
    titles = [axes.get_title() for axes in cells[0] if axes.get_title()]
    assert titles == ["cat", "dog, patch 8", "cat, patch 8", "dog, patch 16", "cat, patch 16"]


def test_the_colour_says_how_far_the_score_falls():
    falls, rises = row(), row()
    rises.drops[0][:] = -0.5
    cells, _ = grid(draw.sheet([falls, rises], [8, 16], 8, ""), 2)
    middle = [axes.images[0].get_array()[48, 48] for axes in cells[:, 1]]
    assert middle[0][0] > middle[0][2] and middle[1][2] > middle[1][0]  # red and blue
    # the margin, which no centre of a patch of 16 reaches, is white
    assert (cells[0, 3].images[0].get_array()[0, 0] == 1).all()


def test_a_sheet_has_a_size_of_its_own_whatever_it_shows():
    full = draw.sheet([row(), row(), row()], [8, 16], 8, "a title")
    sparse = draw.sheet([None, row(), None], [8, 16], 8, "another, longer title")
    assert full.get_size_inches().tolist() == sparse.get_size_inches().tolist()
    wide = draw.sheet([row(("dog", "cat"))] * 3, [8, 16], 8, "a title", maps=2)
    assert wide.get_size_inches()[0] > full.get_size_inches()[0]
    empty = draw.sheet([None] * 3, [8, 16], 8, "a title", maps=2)
    assert wide.get_size_inches().tolist() == empty.get_size_inches().tolist()


def test_a_sheet_without_any_image_can_be_drawn():
    figure = draw.sheet([None, None], [8], 8, "nothing")
    figure.canvas.draw()
    assert [text.get_text() for axes in figure.axes for text in axes.texts].count("none") == 2
