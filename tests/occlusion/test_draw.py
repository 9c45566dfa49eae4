"""Sheets of heatmaps, read back from the figures."""

import numpy as np
import pandas as pd
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


def row(targets=("cat 0.900",), patches=(8, 16), title="cat"):
    sides = [(96 - patch) // 8 + 1 for patch in patches]
    drops = [np.full((side, side, len(targets)), 0.5) for side in sides]
    return draw.Row(np.full((96, 96, 3), 99, np.uint8), title, list(targets), drops)


def page_of(figure):
    """Return all images of a sheet, and its texts with their places."""
    (page,) = (image.get_array() for image in figure.images)
    return page.astype(int), [(t.get_text(), *t.get_position()) for t in figure.axes[0].texts]


def tile(page, column, line=0, maps=1):
    """Return a cell: column 0 is the image, then a map and an overlay for each patch."""
    left = draw.MARGIN
    if column:
        pair, which = divmod(column - 1, 2)
        left += draw.SIDE + draw.MARGIN + which * (draw.SIDE + draw.GAP)
        left += pair * (2 * draw.SIDE + 4 * draw.GAP)
    number, place = divmod(line, maps)
    top = draw.HEAD + number * (maps * (draw.SIDE + draw.GAP) + 2 * draw.GAP)
    top += place * (draw.SIDE + draw.GAP)
    return page[top : top + draw.SIDE, left : left + draw.SIDE]


def test_a_sheet_shows_image_map_and_overlay_for_each_patch_side_by_side():
    figure = draw.sheet([row(), "dog"], [8, 16], 8, "a sheet")
    page, texts = page_of(figure)
    words = [text for text, _, _ in texts]
    assert words == [
        "patch of 8 × 8 pixels",
        "patch of 16 × 16 pixels",
        "cat",
        "cat 0.900",
        "dog",
        "none",
    ]
    assert texts[0][2] == texts[1][2] and texts[0][1] < texts[1][1]
    image, *cells = (tile(page, column) for column in range(5))
    assert np.abs(image - 99).max() <= 4
    for cell in cells:
        red, _, blue = cell[48, 48]
        assert red > blue + 50  # hiding lowers the score
    # a class without an image is named below, in a line of text
    assert (page[draw.HEAD + draw.SIDE + 3 * draw.GAP :, : -draw.BAR] == 255).all()
    assert texts[4][2] == texts[5][2] and texts[4][1] < texts[5][1]
    assert figure.axes[1].get_ylabel() == "fall of the score"
    assert figure.get_suptitle() == "a sheet"


def test_a_misclassified_image_is_mapped_for_both_classes_one_below_the_other():
    wrong = row(("dog 0.800", "cat 0.100"))
    wrong.drops[1][..., 1] = -0.5
    page, texts = page_of(draw.sheet([wrong, wrong], [8, 16], 8, "a sheet", maps=2))
    words = [text for text, _, _ in texts]
    assert words[2:5] == words[5:] == ["cat", "dog 0.800", "cat 0.100"]
    assert texts[3][2] < texts[4][2] < texts[6][2]
    for line, fall in ((0, True), (1, False), (2, True), (3, False)):
        red, _, blue = tile(page, 3, line, maps=2)[48, 48]
        assert (red > blue) == fall, line


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
    figure = draw.sizes(table, agreement, "sizes")
    drop, flips, agrees = figure.axes
    lines = {line.get_label(): line for line in drop.lines}
    assert lines["correct"].get_xdata().tolist() == [8, 32]
    assert lines["correct"].get_ydata().tolist() == [0.2, 0.8]
    assert lines["misclassified"].get_ydata()[1] == 0.7
    assert {line.get_label(): line for line in flips.lines}["correct"].get_ydata()[0] == 0.1
    assert [bar.get_height() for bar in agrees.patches][0] == 0.25
    assert [text.get_text() for text in agrees.get_xticklabels()] == ["32 and 8"]
    figure.canvas.draw()
