"""Work for all cores: a function of each item, called in other processes."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from stages.common.base import process
from stages.common.base.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 200  # items that are done sooner than other processes are started
CHUNK = 16  # items that a process takes at a time
AHEAD = 4  # chunks of each process that may be done before they are asked for


def in_order(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield what a function gives for each item, in their order, and hold no more than a few.

    The function and its results must be such that can be sent to another process.

    Raises
    ------
    InputError
        The system has ended one of the processes.
    """
    cores = os.cpu_count() if not hasattr(os, "sched_getaffinity") else len(os.sched_getaffinity(0))
    if len(items) <= FEW or cores == 1:
        yield from map(function, items)
        return
    # not forked: what other threads hold at that moment would stay locked for ever
    pool = ProcessPoolExecutor(cores, get_context("spawn"), process.follow)
    try:
        waiting = deque()
        for start in range(0, len(items), CHUNK):
            waiting.append(pool.submit(_call, function, items[start : start + CHUNK]))
            if len(waiting) > AHEAD * cores:
                yield from waiting.popleft().result()
        for some in waiting:
            yield from some.result()
    except BrokenProcessPool:
        raise InputError("the system ended one of the processes: is there enough memory?") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _call(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return list(map(function, items))
