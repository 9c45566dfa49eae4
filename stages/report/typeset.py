"""From plain values and pictures to a PDF that is the same bytes whenever they are the same."""

import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import typst
from PIL import Image

from stages.common import fonts
from stages.common.base.errors import InputError

TEMPLATE = Path(__file__).with_name("report.typ")
LARGEST = 10_000_000  # bytes of a report
# of photographs as JPEG, and by how much their sides shrink; the first with which it fits is taken
QUALITIES = ((92, 1), (80, 1), (65, 1), (50, 1), (35, 1), (50, 2), (25, 2))
PLAIN = 150_000  # bytes up to which a picture stays the PNG that it is
# fonts of the machine would make another machine's report another one
FONTS = {"ignore_system_fonts": True, "font_paths": [fonts.FOLDER]}
PROBE = b"#set document(date: datetime(year: 2000, month: 1, day: 1))\n#sys.inputs.text"


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
    One line tells of a script that no font has.

    Raises
    ------
    InputError
        The pictures are too large even when coarse.
    """
    texts_shown = list(_strings(content))
    fonts.warn(texts_shown, lacking(texts_shown), "report")
    for quality, factor in QUALITIES:
        document = _compile(content, pictures, texts, quality, factor)
        if len(document) <= LARGEST:
            return document
    raise InputError(
        f"the report would have {len(document):,} bytes, {LARGEST:,} are allowed: its pictures in "
        "plots are too large; fewer of occlusion.patches make smaller ones"
    )


def _strings(value: Any) -> Iterator[str]:
    """Yield all strings in a value as JSON has it, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value:
            yield from _strings(part)
        if isinstance(value, dict):
            yield from _strings(list(value.values()))


def lacking(texts: Iterable[str]) -> set[str]:
    """Return the characters that no font has which the report may take."""
    characters = {c for c in "".join(texts) if not c.isascii()}
    return set() if _drawn("".join(characters)) else {c for c in characters if not _drawn(c)}


def _drawn(text: str) -> bool:
    try:
        # unlike a plain PDF, this kind must not have boxes in the place of characters
        typst.compile(PROBE, format="pdf", pdf_standards="a-2b", sys_inputs={"text": text}, **FONTS)
    except typst.TypstError:
        return False
    return True


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
        return typst.compile(folder / TEMPLATE.name, root=folder, format="pdf", **FONTS)
