"""Several things at a time: one has too little to compute to keep two threads of torch busy."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Member = TypeVar("Member")
Result = TypeVar("Result")


def each(
    function: Callable[[Member], Result], members: Sequence[Member], device: torch.device
) -> Iterator[Result]:
    """Yield what a function gives for each member, in their order.

    On the CPU as many run at a time as torch has threads, each with one thread of torch, so that
    the results do not depend on their number; on a GPU one after the other. A network that the
    function uses must be in eval mode already, for all of them share it.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield from map(function, members)
        return
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(function, members)
    finally:
        # those that have not begun are dropped if another one failed
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
