"""From plain values and pictures to a PDF that is the same bytes whenever they are the same."""

import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import typst
from PIL import Image

from stages.common.base.errors import InputError

TEMPLATE = Path(__file__).with_name("report.typ")
LARGEST = 10_000_000  # bytes of a report
# of photographs as JPEG, and by how much their sides shrink; the first with which it fits is taken
QUALITIES = ((92, 1), (80, 1), (65, 1), (50, 1), (35, 1), (50, 2), (25, 2))
PLAIN = 150_000  # bytes up to which a picture stays the PNG that it is


def shrink(content: bytes, quality: int, factor: int = 1) -> tuple[bytes, str, tuple[int, int]]:
    """Make JPEGs of large pictures, which are full of photographs.

    `factor` is what their sides are divided by.

    Returns
    -------
    content : bytes
    suffix : "png" or "jpg"
    size : two int
        Width and height in pixels, as they were.
    """
    with Image.open(io.BytesIO(content)) as image:
        if len(content) <= PLAIN:
            return content, "png", image.size
        buffer = io.BytesIO()
        small = image.convert("RGB").reduce(factor)
        small.save(buffer, "jpeg", quality=quality, subsampling=0)
        return buffer.getvalue(), "jpg", image.size


def cuts(content: bytes, least: int = 5) -> list[int]:
    """Find where a tall picture may go on on the next page: amid the white lines between its parts.

    Of the picture so many lines of pixels, `least`, must be white.

    Returns
    -------
    list of int
        Lines of pixels from the top, the first being 0, the last the height.
    """
    with Image.open(io.BytesIO(content)) as image:
        white = (np.asarray(image.convert("L")) == 255).all(axis=1)
    edges = np.flatnonzero(np.diff(white, prepend=False, append=False)).reshape(-1, 2)
    amid = [
        int(start + stop) // 2
        for start, stop in edges
        if stop - start >= least and start > 0 and stop < len(white)
    ]
    return [0, *amid, len(white)]


def pdf(content: dict[str, Any], pictures: dict[str, bytes], texts: dict[str, str]) -> bytes:
    """Typeset the report.

    `content` is what `report.typ` reads; `pictures` and `texts` are called by the names it uses.

    Raises
    ------
    InputError
        The pictures are too large even when coarse.
    """
    for quality, factor in QUALITIES:
        document = _compile(content, pictures, texts, quality, factor)
        if len(document) <= LARGEST:
            return document
    raise InputError(
        f"the report would have {len(document):,} bytes, {LARGEST:,} are allowed: its pictures in "
        "plots are too large; fewer of occlusion.patches make smaller ones"
    )


def _compile(
    content: dict[str, Any],
    pictures: dict[str, bytes],
    texts: dict[str, str],
    quality: int,
    factor: int,
) -> bytes:
    with tempfile.TemporaryDirectory(prefix="report-") as name:
        folder = Path(name)
        sizes = {}
        for number, (key, original) in enumerate(pictures.items()):
            small, suffix, (width, height) = shrink(original, quality, factor)
            file = f"{number}.{suffix}"
            (folder / file).write_bytes(small)
            sizes[key] = {"file": file, "width": width, "height": height, "cuts": cuts(original)}
        values = content | {
            "pictures": sizes,
            "code": {k: text.strip("\n") for k, text in texts.items()},
        }
        (folder / "content.json").write_text(json.dumps(values), encoding="utf-8")
        shutil.copyfile(TEMPLATE, folder / TEMPLATE.name)
        # fonts of the machine would make another machine's report another one
        compiler = typst.Compiler(
            folder / TEMPLATE.name, root=folder, ignore_system_fonts=True, font_paths=[]
        )
        return compiler.compile(format="pdf")
