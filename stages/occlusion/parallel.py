"""Several images at a time: one has too little to compute to keep two threads of torch busy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from stages.common.base.progress import progress

Member = TypeVar("Member")
Result = TypeVar("Result")


def each(
    function: Callable[[Member], Result],
    members: Sequence[Member],
    description: str,
    device: torch.device,
) -> list[Result]:
    """Return what a function gives for each member, in their order.

    On the CPU as many run at a time as torch has threads, each with one thread of torch, so that
    the results do not depend on their number; on a GPU one after the other. A network that the
    function uses must be in eval mode already, for all of them share it.
    """
    if device.type != "cpu":
        return list(progress(map(function, members), description, len(members)))
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        return list(progress(pool.map(function, members), description, len(members)))
    finally:
        # those that have not begun are dropped if another one failed
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
