"""Images as cameras, scanners and laboratories write them: right pixels, or one true line."""

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.common import image_files, images
from stages.common.base.errors import InputError

SIDE = 96
COLOURS = np.random.default_rng(1).integers(0, 256, (3, 256))  # of a palette: red, green, blue
CORNER = Image.new("RGB", (SIDE, SIDE), "blue")
CORNER.paste("red", (0, 0, 48, 48))


def noise(bits: int, count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**bits, (SIDE, SIDE, count))


def saved(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def bits_of(values: np.ndarray, bits: int) -> np.ndarray:
    """Write values in as many bits, each row from a new byte on: uint8 (rows, bytes)."""
    flags = values.reshape(len(values), -1)[..., None] >> np.arange(bits)[::-1] & 1
    return np.packbits(flags.reshape(len(values), -1).astype(np.uint8), axis=1)


def tiff(samples: np.ndarray, bits: int, photometric: int, **more: list[int]) -> bytes:
    """Write an uncompressed little-endian TIFF by hand: a strip, or one a plane."""
    tags = {256: [SIDE], 257: [SIDE], 258: [bits] * samples.shape[2], 259: [1], 262: [photometric]}
    tags |= {277: [samples.shape[2]], 278: [SIDE]} | {int(tag[1:]): v for tag, v in more.items()}
    planes = np.split(samples, samples.shape[2], axis=2) if tags.get(284) == [2] else [samples]
    strips = [bits_of(plane, bits) for plane in planes]
    if bits > 12:  # little-endian, as the tags are
        strips = [strip.reshape(-1, bits // 8)[:, ::-1] for strip in strips]
    sizes = [strip.size for strip in strips]
    tags |= {273: [8 + sum(sizes[:i]) for i in range(len(sizes))], 279: sizes}
    entries, extra, end = b"", b"", 8 + sum(sizes) + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        kind, width = (4, "I") if tag in (273, 279) else (3, "H")
        packed = struct.pack(f"<{len(values)}{width}", *values)
        place = struct.pack("<I", end + len(extra)) if len(packed) > 4 else packed.ljust(4, b"\0")
        extra += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    head = b"II*\0" + struct.pack("<I", 8 + sum(sizes))
    body = b"".join(strip.tobytes() for strip in strips)
    return head + body + struct.pack("<H", len(tags)) + entries + bytes(4) + extra


def shown(samples: np.ndarray, bits: int, photometric: int, alpha: int) -> np.ndarray:
    """Work out the colours on white, float (96, 96, 3), by the TIFF specification."""
    values = samples / (2**bits - 1)
    match photometric:
        case 0:
            colour = 1 - values[..., :1]
        case 1:
            colour = values[..., :1]
        case 2:
            colour = values[..., :3]
        case 3:
            colour = COLOURS.T[samples[..., 0]] / 255
        case 5:
            colour = (1 - values[..., :3]) * (1 - values[..., 3:4])
        case 6:
            y, blue, red = (values[..., [i]] - (i > 0) * 128 / 255 for i in range(3))
            green = y - 0.344136 * blue - 0.714136 * red
            colour = np.concatenate([y + 1.402 * red, green, y + 1.772 * blue], axis=2)
    opacity = values[..., -1:] if alpha else 1
    colour = (colour if alpha == 1 else colour * opacity) + 1 - opacity
    return np.broadcast_to(255 * np.clip(colour, 0, 1), (SIDE, SIDE, 3))


KINDS = [(0, b, 1, 0) for b in (1, 2, 4, 8, 16)] + [(1, b, 1, 0) for b in (1, 2, 4, 8, 12, 16)]
KINDS += [(3, b, 1, 0) for b in (1, 2, 4, 8)] + [(2, 8, 3, 0), (2, 16, 3, 0), (5, 8, 4, 0)]
KINDS += [(5, 16, 4, 0), (6, 8, 3, 0), (1, 8, 2, 1), (1, 8, 2, 2), (2, 16, 4, 1), (2, 16, 4, 2)]


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("photometric, bits, count, alpha", KINDS)
def test_tiff_has_the_colours_of_the_specification(photometric, bits, count, alpha, planar):
    samples = noise(bits, count)
    if alpha == 1:  # colours are multiplied by it
        samples[..., :-1] = np.minimum(samples[..., :-1], samples[..., -1:])
    more = {"t338": [alpha]} if alpha else {}
    more |= {"t530": [1, 1]} if photometric == 6 else {}
    for scale in [257, 1] if photometric == 3 else [0]:
        # a palette of 8 bits is against the specification, and common
        more |= {"t320": (COLOURS[:, : 2**bits] * scale).ravel().tolist()} if scale else {}
        content = tiff(samples, bits, photometric, t284=[planar], **more)
        if planar == 2 and alpha and photometric == 1:
            with pytest.raises(InputError, match="rare kind"):
                images.decode(content)
        else:
            expected = shown(samples, bits, photometric, alpha)
            assert np.abs(images.decode(content) - expected).max() < 4


@pytest.mark.parametrize(
    "bits, count, photometric, more",
    [
        (8, 1, 1, {"t339": [2]}),
        (16, 1, 1, {"t339": [2]}),
        (32, 1, 1, {"t339": [3]}),
        (32, 1, 1, {}),
        (4, 3, 2, {}),
        (16, 2, 1, {"t338": [2]}),
        (16, 1, 32803, {}),  # what a camera's sensor saw
        (8, 3, 2, {"t254": [1]}),  # a preview
        (1, 1, 1, {"t259": [32771]}),  # a fax whose rows are in words
        (8, 3, 6, {"t530": [2, 2]}),  # YCbCr of which colours are stored more coarsely
    ],
)
def test_tiff_that_is_not_read_is_told_with_its_cure(bits, count, photometric, more):
    samples = noise(bits, count)
    with pytest.raises(InputError, match="JPEG") as caught:
        images.decode(tiff(samples, bits, photometric, **more))
    assert "not an image" not in str(caught.value)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_damaged_tiff_of_ycbcr_is_not_read_as_noise(compression, big):
    picture = Image.fromarray((noise(2, 3) * 85).astype(np.uint8)).convert("YCbCr")
    content = saved(picture, "TIFF", compression=compression, big_tiff=big)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(images.decode(content) - expected).max() < 4
    tags = Image.open(io.BytesIO(content)).tag_v2
    begin, end = tags[273][0], tags[273][0] + tags[279][0]
    damaged = content[:begin] + bytes(end - begin) + content[end:]
    with pytest.raises(InputError, match="is damaged"):
        images.decode(damaged)


def png(values: np.ndarray, depth: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG by hand, with more chunks before its pixels."""
    rows = np.pad(bits_of(values, depth), ((0, 0), (1, 0)))  # without a filter
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, 0)
    every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in every
    )


@pytest.mark.parametrize(
    "colour, depth", [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)]
)
def test_transparent_colour_of_a_png(colour, depth):
    values = noise(depth, colour + 1)
    key = values[:10, :10] = values[0, 0].copy()
    values[10:20] = key ^ 1  # in 16 bits a neighbour that looks the same
    # bits beyond the depth do not count
    chunk = (key + (2**depth if depth < 16 else 0)).astype(">u2").tobytes()
    expected = np.where(
        (values == key).all(axis=2, keepdims=True), 255, values * 255 / (2**depth - 1)
    )
    result = images.decode(png(values, depth, colour, (b"tRNS", chunk)))
    assert np.abs(result - expected).max() <= 1


RED = np.full((SIDE, SIDE, 3), [255, 0, 0])
LONG = zlib.compress(bytes(2**21))


@pytest.mark.parametrize(
    "chunk",
    [
        (b"iCCP", b"x\0\0" + LONG),
        (b"zTXt", b"Comment\0\0" + LONG),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
        (b"zTXt", b"Comment\0\7no method"),
        (b"tEXt", b"transparency\0no colour"),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n9\nno number\n")),
        (b"gAMA", b""),
        (b"fcTL", b"no animation"),
    ],
)
def test_metadata_of_a_png_never_refuse_its_pixels(chunk):
    assert np.array_equal(images.decode(png(RED, 8, 2, chunk)), RED)


def damaged(block: bytes, rng: random.Random) -> bytes:
    data = bytearray(block)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        ends = [b"", b"\xff\xff\xff\xff", bytes(4), b"\x80\0\0\0", rng.randbytes(8)]
        data[at : at + rng.choice([1, 4, 8])] = rng.choice(ends)
        del data[rng.choice([at, 10**6]) or 1 :]
    return bytes(data)


@pytest.mark.parametrize(
    "form, options",
    [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {}), ("JPEG", {"dpi": (72, 72)})],
)
def test_broken_exif_data_never_refuse_an_image(form, options):
    exif, rng = Image.Exif(), random.Random(0)
    exif[0x0112], exif[0x010E], exif[0x011A] = 6, "words", 72.0
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    broken = [b"Exif\0\0http://ns.adobe.com", b"Exif\0\0ZZ*\0\x08\0\0\0"]
    broken += [damaged(exif.tobytes(), rng) for _ in range(150)]
    # the red corner stays, or is turned to the right: never a third thing
    corners = [
        images.decode(saved(CORNER, form, exif=block, **options))[[10, 10], [10, 85], 0] > 128
        for block in [exif.tobytes(), *broken]
    ]
    assert {tuple(red) for red in corners} <= {(True, False), (False, True)}
    assert corners[0].tolist() == [False, True] and corners[1].tolist() == [True, False]


@pytest.mark.parametrize(
    "marker, data",
    [
        (0xFFE2, b"ICC_PROFILE\0"),
        (0xFFE2, b"MPF\0MM\0*\xff\xff\xff\xff"),
        (0xFFED, b"Photoshop 3.0\x008BIM\0\0"),
    ],
)
def test_metadata_of_a_jpeg_never_refuse_its_pixels(marker, data):
    content = saved(CORNER, "JPEG")
    more = struct.pack(">HH", marker, len(data) + 2) + data
    result = images.decode(content[:2] + more + content[2:])
    assert np.array_equal(result, images.decode(content))


STARTS = [
    (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
    (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
    (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
    (b"\xff\x0a\xfa", "JPEG XL"),
    (b"", None),
    (b"BMW and Audi\n", None),
    (b"P1: bread\n", None),
    (b"\0\0\0\x18ftypisom\0\0\0\0", None),  # a film
]
STARTS += [(saved(CORNER, form), form) for form in images.FORMATS]


@pytest.mark.parametrize("content, name", STARTS)
def test_content_decides_what_is_an_image(tmp_path, content, name):
    for file in ("a.jfif", "b.jpe", "c", ".hidden"):
        Path(tmp_path, file).write_bytes(content)
    assert images.kind(content) == name
    found, left = image_files.find(tmp_path)
    read = name in images.FORMATS
    assert [file.name for file in found] == (["a.jfif", "b.jpe", "c"] if read else [])
    assert left.total() == (0 if read else 3)
    if read:
        assert images.read(found[0])[0].shape == (SIDE, SIDE, 3)
    elif name:
        assert left[name] == 3
        with pytest.raises(InputError, match=f"{name}.*convert it to JPEG"):
            images.read(Path(tmp_path, "c"))


def test_jpeg_of_many_pixels_is_read_at_a_part_of_its_size():
    side = 9500
    large = Image.new("L", (side, side), 50)
    large.paste(200, (0, 0, side // 2, side // 2))
    content = saved(large, "JPEG")
    expected = np.asarray(large.resize((SIDE, SIDE)).convert("RGB"), int)
    assert np.abs(images.decode(content) - expected).max() < 10
    size = struct.pack(">HH", side, side)
    with pytest.raises(InputError, match="make it smaller"):
        images.decode(content.replace(size, b"\xff\xff\xff\xff", 1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_far_larger_than_needed_is_read_at_a_part_of_its_size(orientation):
    rng = np.random.default_rng(0)
    # coarse and fine parts; neither the size nor the corner of the square is a multiple of 8
    sizes, large = ((13, 9), (160, 90), (1201, 1161)), 0.0
    for weight, (width, height) in zip((0.5, 0.3, 0.2), sizes, strict=True):
        part = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        part = part.resize((2401, 2321), Image.Resampling.BICUBIC)
        large += weight * np.asarray(part, float)
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    content = saved(Image.fromarray(large.astype(np.uint8)), "JPEG", quality=95, exif=exif)
    whole = Image.open(io.BytesIO(content)).crop((40, 0, 2361, 2321))
    whole.info["exif"] = exif.tobytes()
    expected = images.upright(whole).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    apart = np.abs(images.decode(content) - np.asarray(expected, int))
    assert 0 < np.quantile(apart, 0.99) <= 2 and apart.max() <= 8  # 0: all of it was decoded
