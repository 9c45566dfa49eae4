"""Pictures: the same figure is the same bytes, of a fixed size, without tags."""

import struct

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from stages.common import figures


def draw(title="a title"):
    figure, (left, right) = plt.subplots(1, 2, figsize=(3, 2), layout="constrained")
    left.plot([1, 2, 3], [2, 1, 2])
    figures.show_image(right, np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5)
    figure.suptitle(title)
    return figure


def chunks(content) -> list[bytes]:
    """Give the types of a PNG's chunks."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    types, place = [], 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        types.append(content[place + 4 : place + 8])
        place += length + 12
    return types


def test_the_same_figure_is_the_same_bytes(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    figures.save(draw(), tmp_path / "another name.png")
    figures.save(draw("another"), tmp_path / "3.png")
    first = (tmp_path / "1.png").read_bytes()
    assert first == (tmp_path / "another name.png").read_bytes()
    assert first != (tmp_path / "3.png").read_bytes()


def test_a_picture_carries_no_text_and_no_time(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    types = chunks((tmp_path / "1.png").read_bytes())
    assert types[0] == b"IHDR" and types[-1] == b"IEND"
    assert set(types) == {b"IHDR", b"IDAT", b"IEND"}


def test_a_picture_has_the_figures_size_in_colour(tmp_path):
    figures.save(draw(), tmp_path / "1.png")
    with Image.open(tmp_path / "1.png") as picture:
        assert (picture.size, picture.mode) == ((300, 200), "RGB")
        pixels = np.asarray(picture)
    assert (pixels[0, 0] == 255).all()  # white stays white
    assert pixels.min() < 40


def test_the_dpi_of_the_machine_does_not_matter(tmp_path):
    with plt.rc_context({"figure.dpi": 37, "savefig.dpi": 50}):
        figures.save(draw(), tmp_path / "1.png")
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.size == (300, 200)


def test_colours_are_kept_to_a_few_levels(tmp_path):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    figure = plt.figure(figsize=(2.56, 1))
    figure.figimage(np.repeat(ramp, 100, axis=0), resize=False)
    figures.save(figure, tmp_path / "1.png")
    pixels = np.asarray(Image.open(tmp_path / "1.png"))[50, :, 0].astype(int)
    assert np.abs(pixels - np.arange(256)).max() <= 4
    assert (np.diff(pixels) >= 0).all() and pixels[0] == 0 and pixels[-1] == 255


def test_a_saved_figure_is_closed(tmp_path):
    before = plt.get_fignums()
    figures.save(draw(), tmp_path / "1.png")
    assert plt.get_fignums() == before


@pytest.mark.parametrize("image", [None, np.zeros((4, 4, 3), np.uint8)])
def test_an_image_has_no_axes(image):
    figure, axes = plt.subplots()
    figures.show_image(axes, image)
    assert len(axes.images) == (image is not None)
    assert not axes.get_xticks().size and not axes.get_yticks().size
    plt.close(figure)
