"""Image files of any format and size, turned into what the networks take."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stages.common.base.errors import InputError, reason
from stages.common.study import SIDE

# what the content may be, whatever the name says: only formats that Pillow reads by itself
FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")
MOST_BYTES = 256 * 2**20  # of one file
BACKGROUND = "white"  # behind transparent pixels


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
    its centre and resized with a Lanczos filter. An image of 96×96 keeps its pixels.

    Returns
    -------
    uint8 (96, 96, 3)

    Raises
    ------
    InputError
        The content is damaged, not an image, or one of too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            image = central_square(to_rgb(ImageOps.exif_transpose(image)))
            return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"has more than the {Image.MAX_IMAGE_PIXELS} pixels allowed") from None
    except UnidentifiedImageError:
        raise InputError(f"is not an image ({', '.join(FORMATS)})") from None
    except Exception as error:
        # a damaged file may raise anything from within a decoder of Pillow
        raise InputError(f"is damaged and cannot be read: {reason(error)}") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: transparency is laid on white, 16 bits are scaled to 8.

    Raises
    ------
    InputError
        Pixels without a known range: floating point, or integers beyond 16 bits.
    """
    if image.mode.startswith("I"):
        pixels = np.asarray(image).astype(np.int64)
        if pixels.min() < 0 or pixels.max() >= 2**16:
            raise InputError("has pixels of more than 16 bits: 8 or 16 are allowed")
        # 65535 is 255 * 257: white stays white
        return Image.fromarray(((pixels + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise InputError("has floating-point pixels: 8 or 16 bits are allowed")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image)
    return image.convert("RGB")


def central_square(image: Image.Image) -> Image.Image:
    """Cut out the largest square in the centre."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))
