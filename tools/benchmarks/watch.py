"""What each stage takes while the pipeline runs: seconds and memory."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import psutil

from tools.verify.clone import Clone

PAUSE = 0.2  # seconds between two looks at the processes
ALL = "all, with what DVC does"


def watch_repro(clone: Clone) -> list[tuple[str, float, int]]:
    """Run the pipeline in a clone; return the seconds and bytes of each stage, and of all."""
    with watch() as stages:
        start = time.monotonic()
        clone.repro()
        whole = time.monotonic() - start
    rows = [(stage, last - first, most) for stage, (first, last, most) in stages.items()]
    return [*rows, (ALL, whole, max(row[2] for row in rows))]


@contextmanager
def watch() -> Iterator[dict[str, tuple[float, float, int]]]:
    """Fill a dict, stage by stage, with when it was seen first and last, and its most bytes."""
    stages: dict[str, tuple[float, float, int]] = {}
    stop = Event()

    def look() -> None:
        while not stop.wait(PAUSE):
            now = time.monotonic()
            for stage, memory in own_memory().items():
                first, _, most = stages.get(stage, (now, now, 0))
                stages[stage] = first, now, max(most, memory)

    thread = Thread(target=look)
    thread.start()
    try:
        yield stages
    finally:
        stop.set()
        thread.join()


def own_memory() -> Counter[str]:
    """Return the bytes that the processes of each running stage have for themselves."""
    found = Counter()
    for child in psutil.Process().children(recursive=True):
        # one may end meanwhile
        with suppress(psutil.Error):
            # set by DVC, and passed on to processes that a stage starts
            if stage := child.environ().get("DVC_STAGE"):
                memory = child.memory_info()
                found[stage] += memory.rss - memory.shared
    return found
