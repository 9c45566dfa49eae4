"""What a stage prints while it works: plain lines in a log, a bar with an ETA on a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from stages.common.base.errors import one_line

T = TypeVar("T")

LOG_SECONDS = 15  # between two progress lines in a log


def log(message: str) -> None:
    """Print one line at once, also where the output is a file."""
    print(one_line(message), flush=True)


def progress(items: Iterable[T], description: str, total: int, unit: str = "image") -> Iterator[T]:
    """Pass `items` on and show how far they are: a bar on a terminal, plain lines in a log."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, description, total, unit=unit, leave=False, dynamic_ncols=True)
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LOG_SECONDS and done < total:
            last = now
            left = (now - start) / done * (total - done)
            log(f"{description}: {done} of {total} {unit}s, about {left:.0f} s left")
