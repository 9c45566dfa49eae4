"""The reader of the course's file: what is right, and every way to be wrong."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stages.common.base.errors import InputError
from stages.common.study import STL10_CLASSES
from stages.download import npz

COUNTS = (40, 20, 30)


@pytest.fixture
def arrays():
    """Make the six arrays, labels 0..9 in turn."""
    rng = np.random.default_rng(0)
    content = {}
    for number, count in enumerate(COUNTS):
        content[f"arr_{2 * number}"] = rng.integers(0, 256, (count, 96, 96, 3), np.uint8)
        content[f"arr_{2 * number + 1}"] = np.arange(count) % 10
    return content


def saved(content, save=np.savez) -> Path:
    save("hw3.npz", **content)
    return Path("hw3.npz")


def images_of(path, per_class=None):
    source = npz.open_source(str(path), per_class)
    return source, np.stack([image for image, _ in source.images])


def failure(path) -> str:
    with pytest.raises(InputError) as caught:
        images_of(path)
    message = str(caught.value)
    assert "\n" not in message and str(Path(path).absolute()) in message
    return message


def joined(content, first):
    return np.concatenate(
        [content[f"arr_{number}"].squeeze() for number in (first, first + 2, first + 4)]
    )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("labels", [np.uint8, np.int32, np.int64, ">i2"])
def test_arrays_come_back_in_order(project, arrays, save, labels):
    typed = {name: a if a.ndim == 4 else a.astype(labels) for name, a in arrays.items()}
    file = saved(typed, save)
    source, images = images_of(file)
    assert np.array_equal(images, joined(arrays, 0))
    assert np.array_equal(source.labels, joined(arrays, 1)) and source.labels.dtype == np.uint8
    assert source.groups == [("train", 40), ("val", 20), ("test", 30)]
    assert source.classes == list(STL10_CLASSES)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert source.checksums == {"npz": f"sha256:{digest}"}


def test_labels_in_a_column(project, arrays):
    arrays["arr_3"] = arrays["arr_3"][:, None]
    source, _ = images_of(saved(arrays))
    assert np.array_equal(source.labels, joined(arrays, 1))


def test_labels_from_one(project, arrays, capsys):
    expected = joined(arrays, 1)
    for name in ("arr_1", "arr_3", "arr_5"):
        arrays[name] = arrays[name] + 1
    source, _ = images_of(saved(arrays))
    assert np.array_equal(source.labels, expected)
    assert "1 to 10" in capsys.readouterr().out


def test_per_class_keeps_the_proportions(project, arrays):
    source, images = images_of(saved(arrays), per_class=3)
    assert np.bincount(source.labels).tolist() == [3] * 10
    assert [origin for origin, _ in source.groups] == ["train", "val", "test"]
    assert sum(count for _, count in source.groups) == 30
    known = {i.tobytes(): n for n, i in enumerate(joined(arrays, 0))}
    indices = np.array([known[image.tobytes()] for image in images])
    assert np.array_equal(joined(arrays, 1)[indices], source.labels)
    bounds = [(indices < 40).sum(), ((indices >= 40) & (indices < 60)).sum(), (indices >= 60).sum()]
    assert bounds == [count for _, count in source.groups]


@pytest.mark.parametrize("name", [f"arr_{number}" for number in range(6)])
def test_missing_array_is_named(project, arrays, name):
    del arrays[name]
    assert f"{name} is missing" in failure(saved(arrays))


class Harmful:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("name", ["arr_0", "arr_3"])
def test_pickled_array_is_refused_unread(project, arrays, name):
    arrays[name] = np.array([Harmful()] * 40, dtype=object)
    assert f"{name} holds pickled objects" in failure(saved(arrays))
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((20, 3, 96, 96), np.uint8),
        np.zeros((20, 96, 96), np.uint8),
        np.zeros((20, 96, 96, 3), np.float32),
        np.zeros((), np.uint8),
    ],
)
def test_wrong_images_are_named(project, arrays, wrong):
    arrays["arr_2"] = wrong
    message = failure(saved(arrays))
    assert f"arr_2 is {wrong.dtype} {wrong.shape}: uint8 (n, 96, 96, 3) is needed" in message


@pytest.mark.parametrize(
    "wrong", [np.zeros(19, int), np.zeros(20), np.zeros((20, 2), int), np.zeros(20, "U3")]
)
def test_wrong_labels_are_named(project, arrays, wrong):
    arrays["arr_3"] = wrong
    assert "arr_3 is" in (message := failure(saved(arrays))) and "integers (20,)" in message


@pytest.mark.parametrize("label", [-1, 11, 255, 2**40])
def test_label_out_of_range_is_named(project, arrays, label):
    arrays["arr_5"][7] = label
    message = failure(saved(arrays))
    assert "arr_5 has labels from" in message and str(label) in message


def test_fortran_order_says_what_to_do(project, arrays):
    arrays["arr_0"] = np.asfortranarray(arrays["arr_0"])
    assert "np.ascontiguousarray" in failure(saved(arrays))


def test_size_that_the_header_only_claims_is_not_read(project, arrays):
    header = io.BytesIO()
    shape = (10**6, 96, 96, 3)
    claim = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, claim)
    del arrays["arr_0"]
    file = saved(arrays)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("arr_0.npy", header.getvalue() + bytes(100))
    assert "arr_0 has not the length" in failure(file)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(project, arrays, compression):
    del arrays["arr_1"]
    file = saved(arrays)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("arr_1.npy", b"x", compression)
    message = failure(file)
    assert "arr_1 is compressed or encrypted" in message and "np.savez_compressed" in message


def test_flipped_pixel_fails_by_the_checksum_of_the_zip(project, arrays):
    file = saved(arrays)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "CRC" in failure(file)
