"""Image files of any format and size, turned into what the networks take."""

import contextlib
import io
import re
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import (
    ExifTags,
    Image,
    ImageFile,
    ImageOps,
    ImagePalette,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
)

from stages.common.base.errors import InputError, reason
from stages.common.study import SIDE

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")  # those that are read
# how the content of each format begins, whatever the name says
BEGINNINGS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "PPM": rb"P[1-6]\s+[#\d]",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    "CR2": rb"II\*\0.{4}CR",  # a camera's raw file, before the TIFF that it resembles
    "TIFF": rb"II[*+]\0|MM\0[*+]|MM\*\0|II\0\*",
    "WEBP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
    "HEIC": rb".{4}ftyp(?:hei|hev|mif|msf)",
    "AVIF": rb".{4}ftypavi[fs]",
    "CR3": rb".{4}ftypcrx ",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\0\0\0\x0cJXL |\xff\x0a",
}
# a group for each
BEGINNING = re.compile(b"|".join(b"(%s)" % begin for begin in BEGINNINGS.values()), re.DOTALL)
MOST_BYTES = 256 * 2**20  # of one file
MOST_PIXELS = Image.MAX_IMAGE_PIXELS  # of one image; Pillow refuses more
MOST_REDUCED = 4 * MOST_PIXELS  # of a JPEG, which is decoded at a part of its size
# a JPEG is decoded at a half, a quarter or an eighth of its size as long as it stays so large
LEAST_SIDE = 3 * SIDE
BACKGROUND = "white"  # behind transparent pixels
CURE = "save it anew as JPEG, or as PNG of 8 bits"
ORIENTATION = ExifTags.Base.Orientation
# in the tags of a TIFF
NEW_SUBFILE_TYPE, RGB, YCBCR, CCITT_RLEW, JPEGS = 254, 2, 6, 32771, (6, 7)
METADATA = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")


def kind(content: bytes) -> str | None:
    """Name the format of an image, one that is not read too, by the first bytes of its content."""
    found = BEGINNING.match(content)
    return list(BEGINNINGS)[found.lastindex - 1] if found else None


def read(file: Path) -> tuple[np.ndarray, bytes]:
    """Read an image file: what `decode` makes of it, and its content.

    Raises
    ------
    InputError
        The file cannot be used; the line names it.
    """
    if not file.is_file():
        raise InputError(f"{file} is not a readable file")
    if (size := file.stat().st_size) > MOST_BYTES:
        raise InputError(f"{file} has {size} bytes: an image may have {MOST_BYTES}")
    content = file.read_bytes()
    try:
        return decode(content), content
    except InputError as error:
        raise InputError(f"{file} {error}") from None


def decode(content: bytes) -> np.ndarray:
    """Decode an image file of any mode and size.

    It is turned as its EXIF data say, laid on white where it is transparent, cut to the square in
    its centre and resized with a Lanczos filter. An image of 96×96 keeps its pixels. No damage to
    metadata makes an image unreadable: then it is taken for upright. A JPEG whose sides have 576
    pixels or more is decoded at a part of its size, which changes few values by more than 2.

    Returns
    -------
    uint8 (96, 96, 3)

    Raises
    ------
    InputError
        The content is damaged, not an image, of a kind that is not read, or has too many pixels.
    """
    if (found := kind(content)) is None:
        raise InputError(f"is not an image ({', '.join(FORMATS)})")
    if found not in FORMATS:
        raise InputError(f"is of the format {found}, which is not read: convert it to JPEG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = OPENERS.get(found, _open)(content)
            image = central_square(to_rgb(upright(image)))
            return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    except (InputError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(
            f"has more than the {MOST_PIXELS} pixels allowed: make it smaller, or save it as JPEG, "
            f"which may have {MOST_REDUCED}"
        ) from None
    except Exception as error:
        # a damaged file may raise anything from within a decoder of Pillow
        why = "" if isinstance(error, UnidentifiedImageError) else f" ({reason(error)})"
        problem = f"is damaged, or a {found} of a kind that is not read{why}"
        raise InputError(f"{problem}: {CURE}") from None


def _open(content: bytes | bytearray) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(content), formats=FORMATS)


def _open_jpeg(content: bytes) -> Image.Image:
    """Open a JPEG; of one that is far larger than needed, the central square, resized."""
    # metadata of these names can be broken; Pillow passes over what it does not know
    for name in (b"ICC_PROFILE\0", b"Photoshop 3.0\0"):
        content = content.replace(name, bytes(len(name)))
    # not by Image.open, which refuses many pixels and stumbles over broken lists of more pictures
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    width, height = full = image.size
    if width * height > MOST_REDUCED:
        raise InputError(f"has more than the {MOST_REDUCED} pixels allowed: make it smaller")
    image.draft(None, (LEAST_SIDE, LEAST_SIDE))
    return image if image.size == full else _square_of_part(image, full)


def _square_of_part(image: ImageFile.ImageFile, full: tuple[int, int]) -> Image.Image:
    """Cut the central square out of an image decoded at a part of its full size, and resize it.

    The image may not be turned yet: what its size was rounded up by is at its right and bottom.
    """
    side, part = min(full), round(full[0] / image.width)
    begin = [(length - side) // 2 for length in full]
    # the square need not begin with a pixel of the smaller image, and nothing beside it counts
    left, top = (corner // part for corner in begin)
    right, bottom = (-(-(corner + side) // part) for corner in begin)
    x, y = (corner % part / part for corner in begin)
    box = (x, y, x + side / part, y + side / part)
    square = image.crop((left, top, right, bottom))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box)


def _open_png(content: bytes) -> ImageFile.ImageFile:
    """Open what a PNG says of its pixels, and give it its transparent colour in their range."""
    kept, info, colours, at = bytearray(content[:8]), {}, b"", 8
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        chunk = content[at : at + 12 + length]
        at += len(chunk)
        if name == b"eXIf" or chunk.startswith((b"XML:com.adobe.xmp", b"Raw profile type exif"), 8):
            stream = PngImagePlugin.PngStream(io.BytesIO(chunk[8:-4]))
            with contextlib.suppress(Exception):
                stream.call(name, 0, length)
            info |= {key: stream.im_info[key] for key in METADATA if key in stream.im_info}
        elif name == b"tRNS" and kept[25:26] in b"\0\2":
            colours = chunk[8:-4]
        elif name == b"tRNS" or not name[:1].islower():  # all others do not matter to the pixels
            kept += chunk
    image = _open(kept)
    image.info |= info
    depth, words = kept[24], zip(colours[::2], colours[1::2], strict=False)
    top = 2**depth - 1
    key = [(256 * high + low & top) * max(255 // top, 1) for high, low in words]
    if image.mode == "RGB" and depth == 16 and len(key) == 3:
        image.paste(BACKGROUND, mask=Image.fromarray(_equal(kept, key)))
    elif len(key) == len(image.getbands()):
        image.info["transparency"] = tuple(key) if len(key) > 1 else key[0]
    return image


def _equal(png: bytearray, colour: list[int]) -> np.ndarray:
    """Tell where a PNG of 3 × 16 bits has exactly a colour, bool (height, width)."""
    equal = True
    # Pillow keeps the high byte of each value; read in the other order, that is the low one
    for order, shift in (("B", 8), ("L", 0)):
        half = _open(png)
        half.tile = [tile._replace(args=f"RGB;16{order}") for tile in half.tile]
        equal &= (np.asarray(half) == np.right_shift(colour, shift) % 256).all(axis=2)
    return equal


def _open_tiff(content: bytes) -> ImageFile.ImageFile:
    """Open a TIFF of a kind whose pixels are known to be read right.

    Raises
    ------
    InputError
        The samples are not unsigned integers of up to 16 bits, or it is a rare kind.
    """
    image = _open(content)
    tags = image.tag_v2
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) != {1} or bits > 16:
        raise InputError(f"has samples that are not unsigned integers of up to 16 bits: {CURE}")
    if tags.get(NEW_SUBFILE_TYPE) == 1:
        raise InputError("has a preview in place of the picture (a raw file?): convert it to JPEG")
    planar = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
    compression = tags.get(TiffImagePlugin.COMPRESSION)
    ycbcr = photometric == YCBCR and compression not in JPEGS
    subsampled = ycbcr and tags.get(TiffImagePlugin.YCBCRSUBSAMPLING) != (1, 1)
    grey = planar and image.mode in ("LA", "La", "PA", "LAB")
    if compression == CCITT_RLEW or subsampled or grey:
        raise InputError(f"is a TIFF of a rare kind, which is not read: {CURE}")
    if ycbcr:
        _check_ycbcr(content, tags.prefix)
    if planar or photometric == YCBCR:
        image = _open_by_libtiff(content)
    if image.mode in ("P", "PA") and max(tags[TiffImagePlugin.COLORMAP]) < 256:
        # of 8 bits, against the specification
        image.palette = ImagePalette.raw("RGB;L", bytes(tags[TiffImagePlugin.COLORMAP]))
    image.info["range"] = (0, 2**bits - 1) if photometric else (2**bits - 1, 0)
    return image


def _check_ycbcr(content: bytes, byte_order: bytes) -> None:
    """Read a TIFF of YCbCr as if its numbers were RGB, which raises where the data are damaged.

    Libtiff, when it converts the colours, puts noise in place of what it cannot decode.
    """
    order = "<" if byte_order == b"II" else ">"
    for count in "IQ":  # the second one in a BigTIFF
        entry = [struct.pack(f"{order}HH{count}H", 262, 3, 1, of) for of in (YCBCR, RGB)]
        content = content.replace(*entry)
    _open(content).load()


def _open_by_libtiff(content: bytes) -> ImageFile.ImageFile:
    """Open a TIFF that Pillow itself, which it does where nothing is compressed, reads wrong."""
    TiffImagePlugin.READ_LIBTIFF = True
    try:
        return _open(content)
    finally:
        TiffImagePlugin.READ_LIBTIFF = False  # it prints what is wrong with a damaged file


OPENERS = {"JPEG": _open_jpeg, "PNG": _open_png, "TIFF": _open_tiff}


def upright(image: ImageFile.ImageFile) -> Image.Image:
    """Turn an image as its EXIF data say; where these are broken, it is taken for upright."""
    exif = Image.Exif()
    try:
        exif[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    except Exception:
        exif[ORIENTATION] = 1
    # nothing below looks into the broken data again
    image.getexif = lambda: exif
    for key in METADATA:
        image.info.pop(key, None)
    return image if exif[ORIENTATION] == 1 else ImageOps.exif_transpose(image)  # which copies


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: transparency is laid on white, 12 and 16 bits are scaled to 8.

    Raises
    ------
    InputError
        Pixels without a known range: floating point, or integers beyond 16 bits.
    """
    if image.mode.startswith("I"):
        pixels = np.asarray(image).astype(np.int64)
        if pixels.min() < 0 or pixels.max() >= 2**16:
            raise InputError("has pixels of more than 16 bits: 8 or 16 are allowed")
        black, white = image.info.get("range", (0, 2**16 - 1))
        grey = ((pixels - black) * 255 + (white - black) // 2) // (white - black)
        grey[pixels == image.info.get("transparency", -1)] = 255
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise InputError("has floating-point pixels: 8 or 16 bits are allowed")
    if image.mode == "La":
        image = image.convert("LA")  # Pillow knows no shorter way from premultiplied grey
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image)
    return image if image.mode == "RGB" else image.convert("RGB")


def central_square(image: Image.Image) -> Image.Image:
    """Cut out the largest square in the centre."""
    width, height = image.size
    if width == height:
        return image
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))
