"""Hostile files: whatever a file holds, its reader answers right or refuses it in one line.

Each test starts from valid files, damages them in their headers as in their bytes, and has two
outcomes to accept: the right answer, as an independent reader or the original tells it, and an
`InputError` whose message is one printable line. The memory is limited meanwhile.

The default is a few hundred inputs a reader, the same ones in every run. The long form,
`FUZZ=long python -m pytest tests/fuzz --timeout 3600`, draws thousands of new ones; a failure
prints the input that it was shrunk to.
"""

import os
import resource
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.common.base.errors import InputError

torch.set_num_threads(1)  # the tensors are tiny

LONG = os.environ.get("FUZZ") == "long"
TIMES = 20  # as many inputs in the long form
EDGES = [0, 1, 2, 3, 127, 128, 255, 256, 2**15 - 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31]
EDGES += [2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
MEMORY = 2**28  # bytes that reading a small file may take

Field = tuple[int, int, str]  # offset, width and byte order of a number in a header


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return an empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fuzz(
    judge: Callable[[object], None],
    inputs: st.SearchStrategy,
    examples: int = 100,
    memory: int = MEMORY,
) -> Counter:
    """Judge many inputs, and count how many were answered right and how many refused.

    Parameters
    ----------
    judge : callable
        Reads an input and asserts that the answer is right.
    inputs : strategy
    examples : int
        How many inputs; `TIMES` as many in the long form.
    memory : int
        Bytes of address space that may be added meanwhile.
    """
    outcomes = Counter()

    @settings(
        max_examples=examples * (TIMES if LONG else 1),
        derandomize=not LONG,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def one(value):
        try:
            with limited_memory(memory):
                judge(value)
        except InputError as error:
            assert_one_line(error)
            outcomes["refused"] += 1
        else:
            outcomes["right"] += 1

    one()
    print(dict(outcomes))
    assert min(outcomes["right"], outcomes["refused"]) > 0, outcomes
    return outcomes


def assert_one_line(error: InputError) -> None:
    message = str(error)
    assert message.isprintable() and 0 < len(message) < 2000, message
    # a reader that runs out of memory must not take it for damage
    assert "MemoryError" not in message and "allocate" not in message, message


@contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Let the address space grow by so many bytes at most; only where the system tells its size."""
    status = Path("/proc/self/statm")
    if not status.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(status.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def numbers(start: int, stop: int, order: str) -> list[Field]:
    """List every place where a header from `start` to `stop` may hold a number."""
    return [(at, width, order) for at in range(start, stop) for width in (1, 2, 4)]


@st.composite
def mutated(draw, content: bytes, fields: Sequence[Field] = (), most: int = 3) -> bytes:
    """Damage a file at one to `most` places: a number of its header, or any of its bytes."""
    data = bytearray(content)
    kinds = ["byte", "bit", "insert", "delete", "repeat", "cut"] + ["field"] * (6 if fields else 0)
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(kinds))
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(1, 64))
        match kind:
            case "field":
                at, width, order = draw(st.sampled_from(fields))
                value = draw(st.sampled_from(EDGES) | st.integers(0, 2**64 - 1))
                data[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, order)
            case "byte":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=4))
            case "bit" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=64))
            case "delete":
                del data[at : at + length]
            case "repeat":
                data[at:at] = data[at : at + length]
            case "cut":
                del data[at:]
    return bytes(data)
