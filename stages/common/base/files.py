"""Files written whole or not at all, and the same content always as the same bytes."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.common.base.errors import InputError, reason

CHECKOUT = "run `dvc checkout` to restore it"


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename it: it is there whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 with `\\n` line ends on every system."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values are equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_csv(path: str | Path, frame, columns: Iterable[str] | None = None) -> None:
    """Write a pandas frame as CSV without its index; floats with six decimals.

    Parameters
    ----------
    columns : names, optional
        Which columns, in which order, as `stages.common.tables` declares them; all by default.
    """
    frame = frame if columns is None else frame[list(columns)]
    write_text(path, frame.to_csv(index=False, float_format="%.6f", lineterminator="\n"))


def write_array(path: str | Path, array) -> None:
    """Write a numpy array as `.npy`."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def write_arrays(path: str | Path, **arrays) -> None:
    """Write named numpy arrays as one uncompressed `.npz`, which carries no time of writing.

    `np.savez` would do so in ZIP's 64-bit form, which Python writes differently since 3.11.4.
    """
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in sorted(arrays.items()):
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    write_bytes(path, buffer.getvalue())


@contextmanager
def _reading(
    path: str | Path,
    problem: str = "is damaged",
    remedy: str = CHECKOUT,
) -> Iterator[None]:
    """Turn what a reader raises into one line; a damaged file may raise anything."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path} is not there: run `dvc repro` to make it") from None
    except OSError:
        raise
    except Exception as error:
        raise InputError(f"{path} {problem} ({reason(error)}): {remedy}") from None


def read_json(path: str | Path, remedy: str = "run `dvc repro -f` to make it anew") -> Any:
    """Read a JSON file; `remedy` is what an error advises, by default if a stage wrote it."""
    with _reading(path, "is not valid JSON", remedy):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def read_csv(path: str | Path, types: dict[str, type], remedy: str = CHECKOUT):
    """Read columns of a CSV file, as a pandas frame.

    Parameters
    ----------
    types : dict of str to type
        Type of each column that is needed; others are left out.
    remedy : str
        What an error advises; the default is for a file that a stage wrote.

    Raises
    ------
    InputError
        The file is not there, lacks a column, or holds something of another type.
    """
    import pandas as pd

    with _reading(path, remedy=remedy):
        # a class may be called NA, 0 or 007
        return pd.read_csv(path, usecols=list(types), dtype=types, keep_default_na=False)


def read_array(path: str | Path):
    """Map an `.npy` file that an earlier stage wrote into memory, read-only."""
    import numpy as np

    with _reading(path):
        # unlike `np.load`, it never takes a file for a pickle or a zip
        with open(path, "rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("its header is not that of an array of numbers")
        return np.lib.format.open_memmap(path, mode="r", max_header_size=1000)


def read_arrays(path: str | Path) -> dict:
    """Read the named numpy arrays of an `.npz` file that an earlier stage wrote."""
    import numpy as np

    with _reading(path):
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("not an archive of arrays")
        with arrays:
            found = dict(arrays)
        # what is no array in the archive is handed over as its bytes
        if other := [name for name, one in found.items() if not isinstance(one, np.ndarray)]:
            raise ValueError(f"{other[0]} in it is not an array")
        return found


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; it takes the place of `path` only if nothing went wrong."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.partial")
    old = path.with_name(f".{path.name}.old.partial")
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            # a folder cannot be replaced in one step: two renames are the shortest way
            os.replace(path, old)
        os.replace(partial, path)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)
