"""The command `python -m stages.download`: what it leaves behind, and what a failure leaves."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.download import __main__ as stage
from tests.download.conftest import ROOT, assert_one_line, md5, members, tar_gz, write_params
from tests.download.test_stl10 import patch_torchvision

CLASSES = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"]


@pytest.fixture
def photos(project):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        Path("photos", name).mkdir(parents=True)
        for number in range(5):
            pixels = rng.integers(0, 256, (96, 96, 3), np.uint8)
            Image.fromarray(pixels).save(f"photos/{name}/{number}.png")
    return Path("photos")


@pytest.fixture
def earlier(project):
    """Leave the result of an earlier run; gives what tells whether it is untouched."""
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/images.npy").write_bytes(b"earlier")
    Path("data/raw/labels.npy").write_bytes(b"labels")
    return snapshot


def snapshot():
    return {str(file): file.read_bytes() for file in Path("data").rglob("*") if file.is_file()}


def raw():
    folder = Path("data/raw")
    source = json.loads((folder / "source.json").read_text())
    return np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "labels.npy"), source


def test_folder(download, photos):
    result = download("folder", "photos", per_class=3)
    assert result.returncode == 0, result.stderr
    images, labels, source = raw()
    files = [f"photos/{name}/{n}.png" for name in ("cat", "dog") for n in (0, 1, 3)]
    assert np.array_equal(images, np.stack([np.asarray(Image.open(file)) for file in files]))
    assert images.dtype == np.uint8 and images.flags.c_contiguous
    assert labels.tolist() == [0, 0, 0, 1, 1, 1] and labels.dtype == np.uint8
    assert source | {"checksums": 0} == {
        "source": "folder",
        "per_class": 3,
        "classes": ["cat", "dog"],
        "counts": {"cat": 3, "dog": 3},
        "groups": [],
        "checksums": 0,
    }
    assert list(source["checksums"]) == ["images"]
    assert sorted(path.name for path in Path("data").rglob("*")) == [
        "images.npy",
        "labels.npy",
        "raw",
        "source.json",
    ]
    assert "6 images of 2 classes" in result.stdout


def test_result_does_not_depend_on_where_and_when(download, photos):
    download("folder", "photos")
    first = snapshot()
    Path("elsewhere").mkdir()
    photos.rename("elsewhere/photos")
    download("folder", str(Path("elsewhere/photos").absolute()))
    assert snapshot() == first


def test_sample(download):
    result = download("sample", per_class=1)
    assert result.returncode == 0, result.stderr
    images, labels, source = raw()
    masks = np.load("data/raw/masks.npy")
    assert images.shape == (10, 96, 96, 3) and sorted(labels) == list(range(10))
    assert masks.shape == (10, 96, 96) and masks.dtype == np.bool_
    assert masks.any(axis=(1, 2)).all() and not masks.all(axis=(1, 2)).any()
    assert source["source"] == "sample" and source["classes"] == CLASSES


def test_npz(download):
    arrays = {}
    for number, count in enumerate((20, 10, 10)):
        arrays[f"arr_{2 * number}"] = np.full((count, 96, 96, 3), number, np.uint8)
        arrays[f"arr_{2 * number + 1}"] = np.arange(count) % 10
    np.savez("hw3.npz", **arrays)
    assert download("npz", "hw3.npz").returncode == 0
    images, labels, source = raw()
    assert images[:, 0, 0, 0].tolist() == [0] * 20 + [1] * 10 + [2] * 10
    assert source["groups"] == [
        {"origin": "train", "count": 20},
        {"origin": "val", "count": 10},
        {"origin": "test", "count": 10},
    ]
    assert source["counts"] == dict.fromkeys(CLASSES, 4)


def test_stl10_from_a_url(project, site, monkeypatch):
    monkeypatch.setattr("sys.argv", ["download"])  # not those of the tests
    content = members()
    patch_torchvision(monkeypatch, md5(content))
    server = site(tar_gz(content))
    server.cuts = [10**6]
    write_params("stl10", server.url)
    stage.main()
    images, labels, source = raw()
    stored = np.frombuffer(content["test_X.bin"] + content["train_X.bin"], np.uint8)
    assert np.array_equal(images, stored.reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1))
    assert source["groups"] == [{"origin": "test", "count": 40}, {"origin": "train", "count": 30}]
    assert not list(Path("data/.download").iterdir())


@pytest.mark.parametrize("source", ["folder", "npz", "stl10"])
@pytest.mark.parametrize(
    ("path", "words"),
    [("loop", "loop is not there"), ("~no-such-user/x", "~no-such-user/x is not there")]
    + [(path, "move your files elsewhere") for path in ("data/raw/x", "models/q1/x", "link/x")],
)
def test_a_path_that_leads_nowhere_or_into_an_out_is_refused(download, source, path, words):
    Path("loop").symlink_to("loop")
    Path("link").symlink_to("report")
    assert_one_line(download(source, path), words)


def test_failure_keeps_the_earlier_result(download, photos, earlier):
    before = earlier()
    (photos / "dog/4.png").write_bytes((photos / "dog/4.png").read_bytes()[:3000])
    assert_one_line(download("folder", "photos"), "photos/dog/4.png", "damaged")
    assert earlier() == before


def test_success_replaces_the_earlier_result(download, photos, earlier):
    Path("data/raw/masks.npy").write_bytes(b"of an earlier sample")
    assert download("folder", "photos").returncode == 0
    assert sorted(path.name for path in Path("data/raw").iterdir()) == [
        "images.npy",
        "labels.npy",
        "source.json",
    ]


def test_failure_leaves_nothing_new(download, photos):
    (photos / "cat/0.png").write_bytes(b"")
    assert_one_line(download("folder", "photos"), "photos/cat/0.png")
    assert snapshot() == {}
    assert not any(path.name.endswith(".partial") for path in Path("data").iterdir())


def test_full_disk(download, photos, earlier):
    before = earlier()

    resource = pytest.importorskip("resource", reason="no limits of a process on this system")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    assert_one_line(download("folder", "photos", before=limit), "File too large")
    assert earlier() == before
    assert not list(Path("data").glob(".*"))


def test_params_are_checked_before_anything_slow_is_imported():
    code = (
        "import sys, stages.download.__main__; print('torch' in sys.modules, 'PIL' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "False False\n", result.stderr


def test_interrupt_ends_in_one_line(project):
    """Interrupt a real process while it waits for a silent server."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        write_params("stl10", f"http://127.0.0.1:{silent.getsockname()[1]}/a.tar.gz")
        process = subprocess.Popen(
            [sys.executable, "-m", "stages.download"],
            env={"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
        connection.close()
    assert process.returncode == 130
    assert stderr.startswith("interrupted") and stderr.count("\n") == 1
