"""Images of every format that a folder may hold."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from stages.common import images
from stages.common.base.errors import InputError
from stages.download import folder as reader
from tests.fuzz.conftest import Field, fuzz, mutated, numbers

RNG = np.random.default_rng(0)
PIXELS = Image.fromarray(RNG.integers(0, 256, (20, 30, 3), np.uint8))
SMOOTH = Image.linear_gradient("L").resize((30, 20))
ALPHA = Image.merge("RGBA", [*PIXELS.split(), SMOOTH])
DEEP = Image.fromarray(RNG.integers(0, 2**16, (20, 30), np.uint16))
PALETTE = PIXELS.quantize(16)
EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF[0x010E] = "a description"
MEMORY = 2**31  # the most pixels allowed, several times over


def text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "some text " * 20, zip=True)
    info.add_itxt("Title", "ein Titel", "de", "Titel", zip=True)
    return info


KINDS = {
    "png": [
        (PIXELS, {"pnginfo": text(), "exif": EXIF, "icc_profile": b"no profile"}),
        (ALPHA, {}),
        (DEEP, {}),
        (PALETTE, {"transparency": 3}),
        (PALETTE.convert("1"), {}),
        (PIXELS, {"save_all": True, "append_images": [ALPHA.convert("RGB")]}),
    ],
    "jpeg": [
        (PIXELS, {"exif": EXIF, "comment": b"c"}),
        (PIXELS, {"progressive": True, "subsampling": 2, "icc_profile": b"no profile"}),
        (PIXELS.convert("CMYK"), {}),
        (SMOOTH, {"restart_marker_blocks": 1}),
    ],
    "bmp": [(PIXELS, {}), (PALETTE, {}), (ALPHA, {}), (PALETTE.convert("1"), {})],
    "tiff": [
        (PIXELS, {"exif": EXIF}),
        (PIXELS, {"compression": "tiff_lzw"}),
        (PIXELS, {"compression": "jpeg"}),
        (ALPHA, {"compression": "tiff_adobe_deflate"}),
        (PALETTE.convert("1"), {"compression": "group4"}),
        (PALETTE, {"compression": "packbits"}),
        (DEEP, {}),
        (PIXELS, {"big_tiff": True, "save_all": True, "append_images": [SMOOTH]}),
    ],
    "webp": [
        (PIXELS, {"exif": EXIF}),
        (ALPHA, {"lossless": True}),
        (ALPHA, {"save_all": True, "append_images": [ALPHA.rotate(180)]}),
    ],
    "gif": [
        (PALETTE, {"transparency": 3}),
        (PALETTE, {"save_all": True, "append_images": [PALETTE.rotate(180)], "comment": b"c"}),
        (SMOOTH, {"interlace": True}),
    ],
    "ppm": [(PIXELS, {}), (SMOOTH, {}), (DEEP, {}), (PALETTE.convert("1"), {})],
}


def saved(kind: str, image: Image.Image, options: dict) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, kind, **options)  # saving leaves its settings in an image
    return buffer.getvalue()


def header(kind: str, content: bytes) -> list[Field]:
    """List the numbers by which a decoder decides: at the beginning, and of a TIFF at its end."""
    order = "big" if kind in ("png", "jpeg", "ppm") else "little"
    fields = numbers(0, min(len(content), 300), order)
    return fields + (numbers(len(content) - 300, len(content), order) if kind == "tiff" else [])


@pytest.fixture
def tree(folder) -> Path:
    """Make two classes, the first with one image that is sound."""
    for name in ("cat", "dog"):
        Path(name).mkdir()
    PIXELS.save("cat/0.png")
    return folder


def judge(content: bytes) -> None:
    """Check that there is an image, the same at each reading, or that the file is named."""
    Path("dog/0.png").write_bytes(content)
    source = reader.open_source(".", None)
    try:
        _, (image, mask) = source.images
    except InputError as error:
        assert str(Path("dog/0.png").absolute()) in str(error)
        raise
    assert image.shape == (96, 96, 3) and image.dtype == np.uint8 and mask is None
    assert np.array_equal(image, images.decode(content))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_image(tree, kind):
    contents = [saved(kind, *variant) for variant in KINDS[kind]]
    for content in contents:
        judge(content)
    damaged = [mutated(content, header(kind, content)) for content in contents]
    fuzz(judge, st.one_of(damaged), examples=200, memory=MEMORY)


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    parts, at = [], 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        parts.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return parts


def png(parts: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


NAMES = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"iCCP", b"eXIf", b"zTXt", b"iTXt"]
NAMES += [
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"pHYs",
    b"sRGB",
    b"cHRM",
    b"tEXt",
    b"abcd",
    b"ABCD",
    b"\0\0\0\0",
]
BOMB = zlib.compress(bytes(2**24))


@st.composite
def pngs(draw) -> bytes:
    """Put chunks together that have the right checksums, and little else that is right."""
    parts = chunks(saved("png", *draw(st.sampled_from(KINDS["png"]))))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(parts) - 1))
        name, data = parts[at]
        match draw(
            st.sampled_from(["change", "change", "header", "swap", "drop", "add", "rename"])
        ):
            case "change":
                parts[at] = name, draw(mutated(data, numbers(0, max(len(data) - 4, 1), "big")))
            case "header":
                side = st.sampled_from([0, 1, 30, 5000, 2**16, 2**31 - 1, 2**32 - 1])
                depth = st.sampled_from([0, 1, 2, 4, 8, 16, 255])
                small = st.integers(0, 7)
                fields = draw(st.tuples(side, side, depth, small, small, small, small))
                parts[0] = b"IHDR", struct.pack(">IIBBBBB", *fields)
            case "swap":
                other = draw(st.integers(0, len(parts) - 1))
                parts[at], parts[other] = parts[other], parts[at]
            case "drop" if len(parts) > 1:
                del parts[at]
            case "add":
                content = draw(st.just(data) | st.binary(max_size=40) | st.just(b"a\0\0" + BOMB))
                parts.insert(at, (draw(st.sampled_from(NAMES)), content))
            case "rename":
                parts[at] = draw(st.sampled_from(NAMES)), data
    return png(parts)


def test_chunks_of_a_png_that_do_not_fit_together(tree):
    fuzz(judge, pngs(), examples=200, memory=MEMORY)


def test_bytes_that_are_no_image(tree):
    starts = [saved(kind, *variants[0])[:12] for kind, variants in KINDS.items()]
    noise = st.binary(max_size=200)
    whole = st.just(saved("png", *KINDS["png"][0]))
    inputs = noise | whole | st.builds(bytes.__add__, st.sampled_from(starts), noise)
    fuzz(judge, inputs, memory=MEMORY)


@pytest.mark.parametrize("name", ["a\nb.png", "\x1b[2J.png", "\u2028.png", "\x85.png"])
def test_a_file_name_cannot_break_the_line(tree, name):
    Path("dog", name).write_bytes(b"")
    with pytest.raises(InputError, match="is not an image") as caught:
        list(reader.open_source(".", None).images)
    assert str(caught.value).isprintable()
