"""How a stage meets its user: one clear line for a mistake, progress with an ETA for long work."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

LOG_SECONDS = 15  # between two progress lines in a log


class InputError(Exception):
    """A user's mistake: the message is one line that says what, where and what is allowed."""


def run(main: Callable[[], None]) -> None:
    """Call a stage's `main`; a user's mistake ends in one line on stderr and exit code 1.

    Anything else is a defect of the project and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        # a class name that the terminal cannot show must not end the run
        stream.reconfigure(errors="replace")
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        # a full disk, a file that may not be written: the system's own words and the path
        where = f": {error.filename}" if error.filename else ""
        sys.exit(f"error: {error.strerror or error}{where}")
    except (MemoryError, RuntimeError) as error:
        # torch tells of an exhausted GPU by a RuntimeError
        if isinstance(error, RuntimeError) and "out of memory" not in str(error):
            raise
        sys.exit("error: out of memory: lower train.batch_size in params.yaml, or take the cpu")
    except KeyboardInterrupt:
        print(
            "interrupted, nothing was written: `dvc repro` starts this stage again", file=sys.stderr
        )
        sys.exit(130)


def log(message: str) -> None:
    """Print one line at once, also where the output is a file."""
    print(message, flush=True)


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
