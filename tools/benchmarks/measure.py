"""Two ways to one result: first whether it is the same, then how long each takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from stages.common.base.errors import InputError


class Different(InputError):
    """Two results that should agree do not: their times mean nothing."""


def agree(ours, other, what: str, tolerance: float = 0.0, relative: bool = False) -> str:
    """Check that two results are equal, and say how.

    `tolerance` is the largest difference allowed, 0 asks for exactly equal numbers; `relative`
    makes it a share of `other`.

    Returns
    -------
    str

    Raises
    ------
    Different
        They differ by more, have not the same shape, or are not finite.
    """
    ours, other = np.asarray(ours, np.float64), np.asarray(other, np.float64)
    if ours.shape != other.shape:
        raise Different(f"{what} differ: the shapes are {ours.shape} and {other.shape}")
    difference = np.abs(ours - other)
    largest = np.max(difference / np.abs(other) if relative else difference)
    if not largest <= tolerance:  # so that NaN is refused too
        raise Different(f"{what} differ by {largest:.1g}: at most {tolerance:g} is allowed")
    if tolerance == 0:
        return f"{what} are the same"
    return f"{what} within {tolerance:g} (at most {largest:.1g}{' relative' * relative})"


def seconds(call: Callable[[], object]) -> float:
    """Measure how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def race(
    ours: Callable[[], object], other: Callable[[], object], pairs: int
) -> list[tuple[float, float]]:
    """Time both in turn, and start with the other one in every second pair.

    So a machine that slows down or speeds up meanwhile favours neither.

    Returns
    -------
    list of (seconds of ours, seconds of other)
    """
    times = []
    for number in range(pairs):
        if number % 2:
            of_other, of_ours = seconds(other), seconds(ours)
        else:
            of_ours, of_other = seconds(ours), seconds(other)
        times.append((of_ours, of_other))
    return times


@contextmanager
def deterministic() -> Iterator[None]:
    """Compute as a stage does; what a user would pick instead is spared the price of that."""
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
