"""From values to pages: pictures shrink until the report is small enough."""

import io

import numpy as np
import pytest
from PIL import Image

from stages.common.base.errors import InputError
from stages.report import typeset


def noise(side: int) -> bytes:
    """A picture that no format can make small."""
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A template of one page with one picture."""
    path = tmp_path / "one.typ"
    path.write_text(
        '#let content = json("content.json")\n#set document(date: none)\n#content.words\n'
        "#image(content.pictures.one.file)\n"
    )
    monkeypatch.setattr(typeset, "TEMPLATE", path)


def test_a_small_picture_stays_as_it_is():
    small = noise(100)
    assert typeset.shrink(small, 50) == (small, "png", (100, 100))


def png(*lines: int) -> bytes:
    """A picture of two columns, whose lines have these grey values."""
    buffer = io.BytesIO()
    pixels = np.repeat(np.array(lines, np.uint8)[:, None], 2, axis=1)
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def test_a_picture_may_be_cut_amid_enough_white_lines_between_its_parts():
    white, dark = [255] * 6, [255] * 5 + [9]
    assert typeset.cuts(png(0, *white, 1, 2, *white, 3), least=6) == [0, 4, 12, 16]
    assert typeset.cuts(png(0, *white, 1), least=7) == [0, 8]
    # not at its edges, and not where a single pixel is dark
    assert typeset.cuts(png(*white, 0, *white), least=6) == [0, 13]
    assert typeset.cuts(png(0, *dark, 1), least=6) == [0, 8]
    assert typeset.cuts(png(*white), least=6) == [0, 6]


def test_a_large_picture_becomes_smaller_with_its_quality():
    large = noise(400)
    sizes = []
    for quality in typeset.QUALITIES:
        content, suffix, size = typeset.shrink(large, *quality)
        assert (suffix, size) == ("jpg", (400, 400))
        sizes.append(len(content))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] < len(large)


def test_the_first_quality_with_which_it_fits_is_taken(template, monkeypatch):
    values = {"words": "a"}
    whole = typeset.pdf(values, {"one": noise(400)}, {})
    assert whole == typeset.pdf(values, {"one": noise(400)}, {})
    monkeypatch.setattr(typeset, "LARGEST", len(whole) - 1)
    coarser = typeset.pdf(values, {"one": noise(400)}, {})
    assert len(coarser) < len(whole)


def test_pictures_that_cannot_fit_end_in_one_line(template, monkeypatch):
    monkeypatch.setattr(typeset, "LARGEST", 1_000)
    with pytest.raises(InputError, match="1,000 are allowed: its pictures in plots are too large"):
        typeset.pdf({"words": "a"}, {"one": noise(400)}, {})
