"""A function of many items in several processes: what it raises, and a process that is ended."""

import multiprocessing
import time

import pytest

from stages.common.base import processes
from stages.common.base.errors import InputError

pytestmark = pytest.mark.skipif(processes.cores() == 1, reason="one core needs no other process")
ITEMS = range(processes.FEW + 20 * processes.CHUNK)
BAD = 100


def double(number: int) -> int:
    return 2 * number


def more_than_a_pipe_holds(number: int) -> bytes:
    return bytes(1_000_000)


def interrupted(number: int) -> int:
    if number == BAD:
        raise InterruptedError("of the function")
    return number


def ended(number: int) -> int:
    if number == BAD:
        raise EOFError("of the function")
    return number


@pytest.mark.parametrize("function, error", [(interrupted, InterruptedError), (ended, EOFError)])
def test_what_the_function_raises_is_raised_in_its_place(function, error):
    """Also what a broken pipe would raise."""
    found = processes.in_order(function, ITEMS)
    before = BAD - BAD % processes.CHUNK
    assert [next(found) for _ in range(before)] == list(range(before))
    with pytest.raises(error, match="of the function"):
        next(found)


@pytest.mark.parametrize("function", [double, more_than_a_pipe_holds])
def test_a_process_that_the_system_ends_is_told_in_one_line(function):
    """Between two results, and amid one."""
    found = processes.in_order(function, ITEMS)
    next(found)
    time.sleep(1)  # until each waits: for more items, or for room for its results
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(InputError, match="is there enough memory"):
        list(found)
