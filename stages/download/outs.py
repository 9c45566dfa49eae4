"""What the pipeline writes anew is no place for a user's files."""

import os
from pathlib import Path

from stages.common.base.errors import InputError

RAW = "data/raw"
WRITTEN = {"images.npy", "labels.npy", "masks.npy", "folds.npy", "source.json", ".DS_Store"}
OUTS = (RAW, "data/split", "models", "metrics", "plots", "explore", "report")


def real(path: str | Path) -> Path:
    """Return where a path leads, links followed; a relative one starts at the project's folder."""
    return Path(os.path.realpath(os.path.expanduser(path)))


def refuse_outs(*paths: str | Path) -> None:
    """Raise an InputError if a path leads into what a stage writes, or to a folder above it."""
    outs = {out: real(out) for out in OUTS}
    for place in map(real, paths):
        for name, out in outs.items():
            if place.is_relative_to(out) or out.is_relative_to(place):
                raise InputError(
                    f"download.path leads to {place}, in or above {name}, where what the pipeline "
                    "did not write is lost: move your files elsewhere"
                )


def refuse_strangers() -> None:
    """Raise an InputError if `data/raw`, which is about to be replaced, holds a user's files."""
    found = os.listdir(RAW) if os.path.isdir(RAW) else []
    if strangers := sorted({*found} - WRITTEN):
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise InputError(
            f"{RAW} holds {strangers[0]}{more}, not written by this stage, which replaces the "
            "folder: move your files elsewhere"
        )
