"""Pictures: the same figure is the same bytes, of a fixed size, without tags."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from stages.common import figures


def draw(title="a title"):
    figure, (left, right) = plt.subplots(1, 2, figsize=(3, 2), layout="constrained")
    left.plot([1, 2, 3], [2, 1, 2])
    right.imshow(np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5)
    figure.suptitle(title)
    return figure


def test_the_same_figure_is_the_same_bytes(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    figures.save(draw(), tmp_path / "another name.png")
    figures.save(draw("another"), tmp_path / "3.png")
    first = (tmp_path / "1.png").read_bytes()
    assert first == (tmp_path / "another name.png").read_bytes()
    assert first != (tmp_path / "3.png").read_bytes()


def test_a_picture_carries_no_text_and_no_time(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    content = (tmp_path / "1.png").read_bytes()
    assert not [chunk for chunk in (b"tEXt", b"zTXt", b"iTXt", b"tIME") if chunk in content]


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_picture_has_the_figures_size_in_colour(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    pixels = pixels_of(tmp_path / "1.png")
    assert pixels.shape == (200, 300, 3)
    assert (pixels.min(axis=2) < pixels.max(axis=2)).any()
    assert (pixels[0, 0] == 255).all()  # white stays white
    assert pixels.min() < 40


def colourful(count):
    """Draw so many colours, each beside the next."""
    colours = np.zeros((1, count, 3), np.uint8)
    levels = np.unique(figures.LEVELS)
    colours[0, :, 0] = levels[np.arange(count) % 64]
    colours[0, :, 1] = levels[np.arange(count) // 64]
    figure = plt.figure(figsize=(count / 100, 0.01))
    figure.figimage(colours)
    return figure, colours


@pytest.mark.parametrize(("count", "mode"), [(256, "P"), (257, "RGB")])
def test_few_colours_take_one_byte_a_pixel_and_stay_what_they_are(tmp_path, count, mode):
    figure, colours = colourful(count)
    figures.save(figure, tmp_path / "1.png")
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.mode == mode
    assert (pixels_of(tmp_path / "1.png") == colours).all()


def test_images_keep_their_place_and_pixels_on_a_sheet(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    sheet = figures.Sheet(300, 200, "")
    sheet.image(17, 53, image)
    sheet.image(150, 53, image / 255)
    figures.save(sheet.figure(), tmp_path / "1.png")
    pixels = pixels_of(tmp_path / "1.png").astype(int)
    assert pixels.shape == (200, 300, 3)
    for left in (17, 150):
        assert np.abs(pixels[53:149, left : left + 96] - image).max() <= 6
        pixels[53:149, left : left + 96] = 255
    assert (pixels == 255).all()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat", "a dog of no name"], ["cat", "a dog of no name"]),
        (["a cat of many names", "another"], ["a cat of many n…", "another"]),
        (["american bulldog 1", "american bulldog 2"], ["america…ulldog 1", "america…ulldog 2"]),
        (
            ["american bulldog 1, a puppy", "american bulldog 2, a puppy"],
            ["american bulld…1", "american bulld…2"],
        ),
    ],
)
def test_names_that_differ_are_cut_to_labels_that_differ(names, expected):
    assert list(figures.short(names).values()) == expected


@pytest.mark.parametrize("length", [9, 10, 13, 16, 17])
def test_any_number_of_long_names_has_labels_of_its_own(length):
    names = [f"{i % 3} the same beginning {i} and the same end" for i in range(256)]
    labels = figures.short(names, length).values()
    assert len(set(labels)) == 256 and max(map(len, labels)) == length


@pytest.mark.parametrize("count", [2, 10, 11, 30])
def test_classes_have_colours_that_can_be_told_apart_and_are_no_grey(count):
    colors = np.array([to_rgb(color) for color in figures.class_colors(count)])
    assert colors.shape == (count, 3)
    apart = np.abs(colors[:, None] - colors).max(axis=-1)[~np.eye(count, dtype=bool)]
    assert apart.min() > 0.1
    grey = np.ptp(colors, axis=1) < 0.1
    assert (colors[grey] == 0).all()
