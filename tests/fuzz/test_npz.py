"""The course's file: the zip around it, the header of each array, and what the arrays hold."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from stages.common.base.errors import InputError
from stages.download import npz
from stages.download.source import Source
from tests.fuzz.conftest import Field, fuzz, mutated

NAMES = [f"arr_{number}" for number in range(6)]
SHAPE = (96, 96, 3)


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    content = {}
    for number, count in enumerate((2, 1, 1)):
        content[f"arr_{2 * number}"] = rng.integers(0, 64, (count, *SHAPE), np.uint8)
        content[f"arr_{2 * number + 1}"] = np.arange(number, number + count)
    return content


ARRAYS = arrays()


def saved(save=np.savez) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **ARRAYS)
    return buffer.getvalue()


def read(content: bytes) -> tuple[Source, np.ndarray]:
    Path("hw3.npz").write_bytes(content)
    source = npz.open_source("hw3.npz", None)
    return source, np.stack([image for image, _ in source.images])


def assert_right(source: Source, images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    pixels, labels = (
        np.concatenate([values if values.ndim == 4 else values.reshape(-1) for values in parts])
        for parts in ([expected[name] for name in NAMES[first::2]] for first in (0, 1))
    )
    assert images.dtype == np.uint8 and np.array_equal(images, pixels)
    assert source.labels.dtype == np.uint8
    assert source.labels.tolist() == [int(label) - (labels.max() == 10) for label in labels]
    counts = [len(expected[name]) for name in NAMES[::2]]
    assert source.groups == list(zip(("train", "val", "test"), counts, strict=True))


def judge_original(content: bytes) -> None:
    """Check that nothing changed: the zip's checksums let no other content through."""
    assert_right(*read(content), ARRAYS)


def judge(content: bytes) -> None:
    """Check that the images and labels are those that numpy itself reads."""
    found = read(content)
    with np.load("hw3.npz", allow_pickle=False) as expected:
        assert_right(*found, {name: expected[name] for name in NAMES})


def zip_fields(content: bytes) -> list[Field]:
    """List the numbers of a zip's local headers, its central directory and its end."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        local, at = [info.header_offset for info in archive.infolist()], archive.start_dir
    fields = [
        (start + offset, width, "little")
        for start in local
        for offset, width in [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)]
    ]
    while content[at : at + 4] == b"PK\1\2":
        layout = [(4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2)]
        layout += [(32, 2), (34, 2), (36, 2), (38, 4), (42, 4), (46, 1), (50, 1)]
        fields += [(at + offset, width, "little") for offset, width in layout]
        at += 46 + sum(struct.unpack_from("<HHH", content, at + 28))
    layout = [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]
    return fields + [(at + offset, width, "little") for offset, width in layout]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_zip(folder, save):
    content = saved(save)
    judge_original(content)
    fuzz(judge_original, mutated(content, zip_fields(content)), examples=200)


DESCRIPTIONS = ["|u1", "|i1", "<i8", ">i2", "|b1", "<f4", "|O", "O", "|V8", "|V0", "<U3", "<M8[ns]"]
DESCRIPTIONS += ["", "garbage", "<U99999999999", [("a", "|u1")], [("a", "|O")], None, 1]
SIZES = st.sampled_from([-1, 0, 1, 2, 3, 95, 96, 10**5, 10**5 + 1, 10**9, 10**30, True, 1.0, "1"])
SHAPES = (
    st.sampled_from([(2, *SHAPE), (1, *SHAPE), (2,), (1,), (2, 1), (1, 1), (), 3, None])
    | st.lists(SIZES, max_size=5).map(tuple)
    | SIZES.map(lambda count: (count, *SHAPE))
)


@st.composite
def npy_header(draw, array: np.ndarray) -> bytes:
    """Make the header of an `.npy` file that says what the array is not."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    changes = {
        "descr": st.sampled_from(DESCRIPTIONS),
        "fortran_order": st.sampled_from([False, True, 0, None, "no"]),
        "shape": SHAPES,
    }
    for key in draw(st.lists(st.sampled_from(list(changes)), max_size=2, unique=True)):
        header[key] = draw(changes[key])
    text = draw(
        st.just(repr(header) + "\n")
        | mutated(repr(header).encode()).map(lambda raw: raw.decode("latin1"))
        | st.sampled_from(["", "(" * 9000, "[" * 500, "-" * 9000, "{" * 99, "1" * 9999, "{}", "0"])
    ).encode("latin1")
    version = draw(st.sampled_from([(1, 0)] * 6 + [(2, 0), (3, 0), (9, 9)]))
    width = 2 if version == (1, 0) else 4
    length = draw(st.sampled_from([len(text)] * 6 + [0, 1, len(text) + 1, 2**16 - 1]))
    return b"\x93NUMPY" + bytes(version) + length.to_bytes(width, "little") + text


def npy(array: np.ndarray) -> st.SearchStrategy[bytes]:
    body = array.tobytes()
    bodies = st.sampled_from([body] * 4 + [body[:-1], body + b"x", b""])
    return st.builds(bytes.__add__, npy_header(array), bodies)


@st.composite
def archives(draw) -> bytes:
    """Make a sound zip in which one or two arrays are not what they should be."""
    members = {}
    for name, array in ARRAYS.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        members[f"{name}.npy"] = buffer.getvalue()
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(NAMES))
        labels = st.lists(st.sampled_from([-1, 0, 1, 9, 10, 11, 255, 2**40]), max_size=3)
        contents = (
            npy(ARRAYS[name])
            | mutated(members[f"{name}.npy"])
            | labels.map(lambda values: np.array(values, np.int64)).flatmap(npy)
        )
        members[f"{name}.npy"] = draw(contents)
    if draw(st.integers(0, 9)) == 0:
        name = draw(st.sampled_from(sorted(members)))
        members[draw(st.sampled_from(["arr_9.npy", "../arr_0.npy", "arr_0"]))] = members.pop(name)
    kinds = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]
    kind = draw(st.sampled_from([kinds[0]] * 4 + kinds))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_arrays_that_are_not_what_they_should_be(folder):
    fuzz(judge, archives(), examples=300)


def labels_archive(labels: list[list[int]]) -> bytes:
    content = {}
    for number, values in enumerate(labels):
        content[f"arr_{2 * number}"] = np.zeros((len(values), *SHAPE), np.uint8)
        content[f"arr_{2 * number + 1}"] = np.array(values, np.int64)
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


def test_labels_are_read_if_and_only_if_they_are_classes(folder):
    label = st.integers(0, 9) | st.integers(1, 10) | st.sampled_from([-1, 0, 10, 11, 256])

    def judge_labels(labels):
        joined = [value for values in labels for value in values]
        good = all(labels) and (
            all(0 <= v <= 9 for v in joined) or all(1 <= v <= 10 for v in joined)
        )
        Path("hw3.npz").write_bytes(labels_archive(labels))
        try:
            source = npz.open_source("hw3.npz", None)
        except InputError:
            assert not good
            raise
        assert good
        assert source.labels.tolist() == [value - (max(joined) == 10) for value in joined]

    fuzz(judge_labels, st.lists(st.lists(label, max_size=3), min_size=3, max_size=3))
