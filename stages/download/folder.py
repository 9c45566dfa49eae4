"""Any folder of images with one subfolder a class, as torchvision's `ImageFolder` reads it."""

import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stages.common.cli import InputError, reason
from stages.download.source import SIZE, Source, evenly_spaced

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp", ".gif")
# what the content may be, whatever the name says: only formats that Pillow reads by itself
FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")
MOST_CLASSES = 256  # a label is one byte
MOST_BYTES = 256 * 2**20  # of one file
BACKGROUND = "white"  # behind transparent pixels


def open_source(path: str, per_class: int | None) -> Source:
    """Open a folder of images; a relative path starts at the project's folder.

    The order is that of the relative paths, character by character, whatever the locale and the
    file system say. Hidden files and folders are left out. `per_class` picks before any image is
    read.

    Raises
    ------
    InputError
        The folder, a class or an image cannot be used; the line names the path.
    """
    root = Path(os.path.expanduser(path)).resolve()
    classes = class_folders(root)
    files = [image_files(root / name) for name in classes]
    labels = np.repeat(np.arange(len(classes), dtype=np.uint8), [len(paths) for paths in files])
    picked = evenly_spaced(labels, per_class)
    every = [file for paths in files for file in paths]
    checksums: dict[str, str] = {}
    images = _read(root, [every[index] for index in picked], checksums)
    return Source(classes, labels[picked], images, checksums=checksums)


def class_folders(root: Path) -> list[str]:
    """List the names of the classes, sorted.

    Raises
    ------
    InputError
        `root` is no folder, or does not have 2 to 256 subfolders.
    """
    if not root.is_dir():
        problem = "is not a folder" if root.exists() else "is not there"
        raise InputError(f"{root} {problem}: download.path must hold one subfolder for each class")
    names = sorted(e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith("."))
    if not 2 <= len(names) <= MOST_CLASSES:
        raise InputError(
            f"{root} has {len(names)} subfolders: one for each class is needed, "
            f"2 to {MOST_CLASSES} classes"
        )
    for name in names:
        if not name.isprintable():
            raise InputError(f"{str(root / name)!a}: the name of a class must be printable text")
    return names


def image_files(folder: Path) -> list[Path]:
    """List the images anywhere below a class folder, sorted by relative path.

    Raises
    ------
    InputError
        There is none.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(parent, name)
            for name in names
            if name.lower().endswith(EXTENSIONS) and not name.startswith(".")
        ]
    if not found:
        raise InputError(f"{folder} holds no image: each class needs one ({' '.join(EXTENSIONS)})")
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


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
            return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS))
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


def _read(
    root: Path, files: list[Path], checksums: dict[str, str]
) -> Iterator[tuple[np.ndarray, None]]:
    """Decode file after file, and sum up names and contents in one checksum of the folder."""
    total = hashlib.sha256()
    for file in files:
        content = _content(file)
        name = file.relative_to(root).as_posix().encode("utf-8", "surrogateescape")
        total.update(name + b"\0" + hashlib.sha256(content).digest())
        try:
            image = decode(content)
        except InputError as error:
            raise InputError(f"{file} {error}") from None
        yield image, None
    checksums["images"] = f"sha256:{total.hexdigest()}"


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise InputError(f"{file} is not a readable file")
    if (size := file.stat().st_size) > MOST_BYTES:
        raise InputError(f"{file} has {size} bytes: an image may have {MOST_BYTES}")
    return file.read_bytes()
