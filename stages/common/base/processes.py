"""Work for all cores: a function of each item, called in other processes."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

from stages.common.base.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 200  # items that are done sooner than other processes are started
MOST = 8  # processes: each may hold an image of many megapixels, and a disk feeds no more
CHUNK = 16  # items that a process is given at a time
BROKEN = (EOFError, OSError)  # the pipe, between two messages and amid one


def in_order(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield what a function gives for each item, in their order, and hold no more than a few.

    The processes take turns, so that it is known which has the next results. They end when the
    pipe to them is closed, which also the death of this process does.

    Parameters
    ----------
    function
        One that another process can import; what it raises is raised here.
    items
        Of little size, such as numbers and paths.

    Raises
    ------
    InputError
        One of the processes was ended from outside.
    """
    if len(items) <= FEW or (count := cores()) == 1:
        yield from map(function, items)
        return
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    pipes = [_start(function) for _ in range(count)]
    try:
        for number in range(len(chunks) + count):
            pipe = pipes[number % count]
            try:
                results = pipe.recv() if number >= count else []
                # one chunk at a time: were there more, this process and the other could both wait
                # for room in the pipe, each to send
                if number < len(chunks):
                    pipe.send(chunks[number])
            except BROKEN:
                ended = "a process that helps was ended: is there enough memory?"
                raise InputError(ended) from None
            if isinstance(results, Exception):
                raise results
            yield from results
    finally:
        for pipe in pipes:
            pipe.close()


def cores() -> int:
    """Return how many processes are of use, by this one's share of the machine."""
    from joblib import cpu_count  # knows the limits of a container, too

    return min(cpu_count(), MOST)


def _start(function: Callable[[Item], Result]) -> Connection:
    """Start a process, and return the pipe to it."""
    # not forked: what other threads hold at that moment would stay locked for ever
    context = multiprocessing.get_context("spawn")
    own, other = context.Pipe()
    process = context.Process(target=_work, args=(function, other), daemon=True)
    # Ctrl-C is for the process that started it
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    other.close()
    return own


def _work(function: Callable[[Item], Result], pipe: Connection) -> None:
    with suppress(*BROKEN):
        while True:
            items = pipe.recv()
            try:
                results = list(map(function, items))
            except Exception as error:
                results = error
            pipe.send(results)
