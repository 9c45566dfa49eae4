"""Files written whole or not at all, and the same content always as the same bytes."""

import json
import os
import resource
import zipfile
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from stages.common.base import files
from stages.common.base.errors import InputError


@contextmanager
def full_disk(size=100):
    """Let no file grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_failing_write_leaves_the_old_content(tmp_path):
    path = tmp_path / "file"
    files.write_bytes(path, b"old")
    with full_disk(), pytest.raises(OSError) as caught:
        files.write_bytes(path, bytes(1000))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    (path / "stale").touch()
    with files.new_folder(path) as folder:
        (folder / "fresh").touch()
        assert names(path) == ["stale"]
    assert names(path) == ["fresh"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_new_folder_that_fails_leaves_the_old_one(tmp_path, error):
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(error), files.new_folder(path) as folder:
        (folder / "fresh").touch()
        raise error
    assert names(path) == ["old"]
    assert names(tmp_path) == ["out"]


def test_what_an_interrupted_run_left_is_not_taken_over(tmp_path):
    partial = tmp_path / ".out.partial"
    partial.mkdir()
    (partial / "rest").touch()
    with files.new_folder(tmp_path / "out") as folder:
        (folder / "fresh").touch()
    assert names(tmp_path / "out") == ["fresh"]


def test_json_is_the_same_bytes_in_any_order(tmp_path):
    value = {"b": {"z": 1, "a": [3, 1]}, "a": "Zürich"}
    turned = {"a": "Zürich", "b": {"a": [3, 1], "z": 1}}
    files.write_json(tmp_path / "1", value)
    files.write_json(tmp_path / "2", turned)
    content = (tmp_path / "1").read_bytes()
    assert content == (tmp_path / "2").read_bytes()
    assert content.endswith(b"}\n") and b"\r" not in content
    assert "Zürich".encode() in content
    assert json.loads(content) == value == files.read_json(tmp_path / "1")


def test_csv_has_six_decimals_and_plain_line_ends(tmp_path):
    frame = pd.DataFrame({"epoch": [1, 2], "loss": [1 / 3, 2.0], "name": ["a,b", "c"]})
    files.write_csv(tmp_path / "file", frame)
    expected = b'epoch,loss,name\n1,0.333333,"a,b"\n2,2.000000,c\n'
    assert (tmp_path / "file").read_bytes() == expected


def test_an_array_comes_back_as_it_was_and_objects_are_none(tmp_path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3).T
    files.write_array(tmp_path / "a.npy", array)
    read = files.read_array(tmp_path / "a.npy")
    assert read.dtype == np.uint8 and read.tolist() == array.tolist()
    with pytest.raises(ValueError, match="allow_pickle"):
        files.write_array(tmp_path / "b.npy", np.array([{}]))
    assert names(tmp_path) == ["a.npy"]


def test_arrays_carry_no_time_and_come_back_as_they_were(tmp_path):
    path = tmp_path / "maps.npz"
    files.write_arrays(path, maps=np.float32([[0.25, 0.5]]), index=np.int64([3]))
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.extract_version == 20 and not member.extra  # no 64-bit form
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["maps"].tolist() == [[0.25, 0.5]] and arrays["maps"].dtype == np.float32
        assert arrays["index"].tolist() == [3]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a": 1,}'])
def test_a_broken_json_is_named(tmp_path, content):
    (tmp_path / "source.json").write_bytes(content)
    with pytest.raises(InputError, match="source.json is not valid JSON") as caught:
        files.read_json(tmp_path / "source.json")
    assert "\n" not in str(caught.value)
