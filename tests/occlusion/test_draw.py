"""Sheets of heatmaps, read back from the figures."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from stages.common import figures
from stages.common.figures import class_colors
from stages.occlusion import draw
from stages.report.typeset import cuts


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


CLASSES = ["cat", "dog", "cow"]
PATCHES = (8, 16, 32)


def row(targets=(0,), title="cat", low=0, strip=slice(0, 0)):
    """Return a row of a grey image, of which the network says cat unless its upper half is hidden.

    There the logits are `low` for cat, and `strip` of the rows is taken for a cow.
    """
    grids = {}
    for patch in PATCHES:
        side = (96 - patch) // 8 + 1
        grids[patch] = np.tile([5.0, 0.0, 0.0], (side, side, 1))
        grids[patch][: side // 2, :, 0] = low
        grids[patch][strip, :, 2] = 9
    image = np.full((96, 96, 3), 99, np.uint8)
    return draw.row(image, title, np.array([5.0, 0.0, 0.0]), grids, targets, CLASSES)


def page_of(figure):
    """Return all images of a sheet, and its texts with their places."""
    (page,) = (image.get_array() for image in figure.images)
    return page.astype(int), [(t.get_text(), *t.get_position()) for t in figure.axes[0].texts]


def tile(page, column, line=0, maps=1):
    """Return a cell: the image, an overlay for each patch, the log-odds, and the classes."""
    first = draw.MARGIN + draw.SIDE + draw.MARGIN
    lefts = [draw.MARGIN, *(first + i * (draw.SIDE + 2 * draw.GAP) for i in range(3))]
    lefts.append(lefts[-1] + draw.SIDE + draw.MARGIN)
    lefts.append(lefts[-1] + draw.SIDE + 3 * draw.GAP)
    number, place = divmod(line, maps)
    top = draw.HEAD + number * (maps * (draw.SIDE + draw.GAP) + 2 * draw.GAP)
    top += place * (draw.SIDE + draw.GAP)
    return page[top : top + draw.SIDE, lefts[column] : lefts[column] + draw.SIDE]


def test_a_sheet_shows_image_overlays_log_odds_and_classes_side_by_side():
    figure = draw.sheet([row(), "dog"], CLASSES, PATCHES, 8, "a sheet")
    page, texts = page_of(figure)
    words = [text for text, _, _ in texts]
    for text in ("8 × 8", "16 × 16", "32 × 32", "cat 0.987", "none"):
        assert text in words
    # log-odds of cat are 5 - ln 2 at first, -ln 2 in the upper half
    assert "± 5 nats" in words
    assert np.abs(tile(page, 0) - 99).max() <= 4
    for column in (1, 2, 3, 4):
        above, below = tile(page, column)[24, 48], tile(page, column)[72, 48]
        assert above[0] > above[2] + 50  # hiding lowers the score
        assert np.ptp(below) <= 8  # and here it does nothing
    # a class without an image is named below, in a line of text
    assert (page[draw.HEAD + draw.SIDE + 3 * draw.GAP :, : -draw.BAR] == 255).all()
    places = {text: (left, top) for text, left, top in texts}
    assert places["dog"][1] == places["none"][1] and places["dog"][0] < places["none"][0]
    assert figure.axes[1].get_ylabel() == "fall of the score"
    assert figure.get_suptitle() == "a sheet"


def test_log_odds_are_drawn_on_a_scale_of_their_own_where_the_score_stays():
    whole = np.array([50.0, 0.0, 0.0])
    grids = {patch: np.tile(whole, (11, 11, 1)) for patch in PATCHES}
    grids[16][:5, :, 0] = 40  # the score is 1 all the same
    blank = draw.row(np.full((96, 96, 3), 99, np.uint8), "cat", whole, grids, [0], CLASSES)
    page, texts = page_of(draw.sheet([blank, row()], CLASSES, PATCHES, 8, "a sheet"))
    for column in (1, 2, 3):
        assert np.ptp(tile(page, column)) <= 8
    assert "± 10 nats" in [text for text, _, _ in texts]
    fully, other = (tile(page, 4, line)[24, 48] for line in (0, 1))
    assert np.array_equal(fully, other)  # the largest fall of each


def test_the_most_probable_class_is_in_the_colour_of_the_legend():
    figure = draw.sheet([row(low=1, strip=slice(2, 4))], CLASSES, PATCHES, 8, "a sheet")
    page, texts = page_of(figure)
    colors = [np.array(to_rgb(color)) * 255 for color in class_colors(3)]
    cell, image = tile(page, 5), 99
    # centres of the third and fourth row of patches are at 31.5 and 39.5: they are cow
    cow = draw.CHANGED * colors[2] + (1 - draw.CHANGED) * image
    assert np.abs(cell[28:44, 20:76] - cow).max() <= 6
    cat = draw.KEPT * colors[0] + (1 - draw.KEPT) * image
    assert np.abs(cell[44:80, 20:76] - cat).max() <= 6
    assert np.abs(cell[:8] - image).max() <= 6  # no patch has its centre there
    # dog never comes up, so it has no place in the legend
    legend = [(text, top) for text, left, top in texts if left > page.shape[1] - draw.BAR]
    assert [text for text, _ in legend] == ["most probable", "cat", "cow"]
    for (_, top), color in zip(legend[1:], (colors[0], colors[2]), strict=True):
        place = page[int(top), page.shape[1] - draw.BAR + 18]
        assert np.abs(place - color).max() <= 6


def test_a_misclassified_image_is_mapped_for_both_classes_one_below_the_other():
    wrong = row((0, 1))
    page, texts = page_of(draw.sheet([wrong, wrong], CLASSES, PATCHES, 8, "a sheet", maps=2))
    labels = [(text, top) for text, _, top in texts if text in ("cat 0.987", "dog 0.007")]
    assert [text for text, _ in labels] == ["cat 0.987", "dog 0.007"] * 2
    assert [top for _, top in labels] == sorted(top for _, top in labels)
    for line, fall in ((0, True), (1, False), (2, True), (3, False)):
        for column in (3, 4):
            red, _, blue = tile(page, column, line, maps=2)[24, 48]
            assert (red > blue) == fall, line
    assert (tile(page, 5, 1, maps=2) == 255).all()  # the classes are those of the image


@pytest.mark.parametrize("rows", [1, 3])
def test_a_long_sheet_may_be_cut_below_its_headings_and_between_its_images(rows, tmp_path):
    sheet = draw.sheet([row() for _ in range(rows)], CLASSES, PATCHES, 8, "a sheet")
    figures.save(sheet, tmp_path / "sheet.png")
    title, headings, *others = cuts((tmp_path / "sheet.png").read_bytes())[1:]
    assert title < draw.HEADINGS - 14 and draw.HEADINGS < headings < draw.HEAD
    assert draw.HEAD + rows * (draw.SIDE + 3 * draw.GAP) in [*others, others[-1]] or rows == 1


def test_the_fills_of_an_image_stand_side_by_side_each_on_its_own_scale():
    image, falls = np.full((96, 96, 3), 99, np.uint8), np.zeros((6, 6))
    strong, weak = falls.copy(), falls.copy()
    strong[:3], weak[3:] = 250.4, -0.5
    strides = {"mean": 16, "blur": 16}
    figure = draw.fills([(image, "cat", {"mean": strong, "blur": weak})], 16, strides, "fills")
    page, texts = page_of(figure)
    words = {text: (left, top) for text, left, top in texts}
    assert {"mean", "blur", "cat", "± 250 nats", "± 0.5 nats"} == set(words)
    left, right = (int(words[name][0]) for name in ("mean", "blur"))
    red, blue = page[draw.HEAD + 24, left], page[draw.HEAD + 72, right]
    assert red[0] > red[2] + 50 and blue[2] > blue[0] + 50
    for quiet in (page[draw.HEAD + 72, left], page[draw.HEAD + 24, right]):
        assert np.abs(quiet - 99).max() <= 4
