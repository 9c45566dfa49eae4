"""One file out of template, style, scripts and data: nothing that it needs lies outside it."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("page")
# in the order in which they build on each other; they share one scope
SCRIPTS = (
    "preact.js",
    "data.js",
    "state.js",
    "scales.js",
    "parts.js",
    "matrix.js",
    "pairs.js",
    "confusion.js",
    "compare.js",
    "confidence.js",
    "images.js",
    "maps.js",
    "patch.js",
    "occlusion.js",
    "image.js",
    "main.js",
)


def embedded(value: Any) -> str:
    """Return a value as JSON that cannot end the element that it stands in, whatever it says."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def checksum(text: str) -> str:
    """Return what the page's policy knows a script or style by, so that it allows no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def build(study: dict[str, Any], scores: str, images: list[str], maps: list[str]) -> str:
    """Write the page.

    Parameters
    ----------
    study : dict
        What is not a picture, as JSON takes it.
    scores : str
        `encode.codes` of the images that the page holds, uint16 (networks, n, classes), as base64.
    images, maps : list of str
        A line of base64 each.
    """
    library, *own = map(source, SCRIPTS)
    script = f'{library}\n(() => {{\n"use strict";\n{"".join(own)}}})();\n'
    style = source("style.css")
    parts = {
        "style": style,
        "script": script,
        "style_checksum": checksum(style),
        "script_checksum": checksum(script),
        "study": embedded(study),
        "scores": scores,
        "images": "\n".join(images),
        "maps": "\n".join(maps),
    }
    # all at once: what is put in may look like a place to put something in
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], source("index.html"))
