"""The folder of photographs, from an archive that is laid out as Tiny-ImageNet-200 is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from experiments import photos
from tests.conftest import ROOT, assert_one_line, snapshot

# bytes of the archive, under its own names; the folder that CI takes its photographs from
FOLDER = Path(os.environ.get("PHOTOS", ROOT.parent / "shared" / "photos"))
NAMES = photos.NAMES.read_text(encoding="utf-8").split()


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "experiments.photos", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    if not FOLDER.is_dir():
        pytest.skip(f"there is no folder of photographs, {FOLDER}: set PHOTOS to one")
    path = tmp_path_factory.mktemp("archive") / "tiny-imagenet-200.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in NAMES:
            file.write(FOLDER / name, photos.member(name))
    return path


def test_the_list_is_ten_classes_of_1300_images():
    classes = [name.split("/")[0] for name in NAMES]
    assert len(set(NAMES)) == 13_000
    assert {classes.count(name) for name in set(classes)} == {1_300} and len(set(classes)) == 10


@pytest.mark.parametrize(
    "name, member",
    [
        ("bird/n01855672_123.jpg", "tiny-imagenet-200/train/n01855672/images/n01855672_123.JPEG"),
        ("bird/n01855672_v77.jpg", "tiny-imagenet-200/val/images/val_77.JPEG"),
    ],
)
def test_names_of_the_archive(name, member):
    assert photos.member(name) == member


def test_the_folder_is_the_same_to_the_byte(archive, tmp_path):
    result = run(archive, tmp_path / "photos")
    assert result.returncode == 0, result.stderr
    made = {os.path.relpath(p, tmp_path / "photos"): c for p, c in snapshot(tmp_path).items()}
    assert made == {name: (FOLDER / name).read_bytes() for name in NAMES}


def test_an_archive_with_another_image_is_refused(archive, tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for i, entry in enumerate(old.infolist()):
            new.writestr(entry, old.read(entry) if i != 700 else b"another")
    assert_one_line(run(other, tmp_path / "photos"), "its images are others")
    assert [path.name for path in tmp_path.iterdir()] == ["other.zip"]


def test_what_is_no_such_archive_is_refused(tmp_path):
    (tmp_path / "page.zip").write_text("<html>")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(photos.member(NAMES[0]), bytes(10**7))
    name = photos.member(NAMES[0]).encode()
    with zipfile.ZipFile(tmp_path / "small.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name.decode(), b"an image" * 9)
    small = (tmp_path / "small.zip").read_bytes()
    data = small.index(name) + len(name)
    (tmp_path / "damaged.zip").write_bytes(small[:data] + b"\xff" + small[data + 1 :])
    directory = small.index(b"PK\x01\x02")
    encrypted = bytearray(small)
    encrypted[6] = encrypted[directory + 8] = 1  # the flag, in both headers of the member
    (tmp_path / "encrypted.zip").write_bytes(encrypted)
    unnamed = bytearray(small)
    unnamed[7] = unnamed[directory + 9] = 8  # the flag of UTF-8, which 0xff is never part of
    unnamed[directory + 46] = unnamed[small.index(name)] = 0xFF
    (tmp_path / "unnamed.zip").write_bytes(unnamed)
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_LZMA) as file:
        file.writestr(name.decode(), b"an image" * 9)
    packed = (tmp_path / "lzma.zip").read_bytes()
    (tmp_path / "lzma.zip").write_bytes(packed[: data + 9] + b"\xff" * 20 + packed[data + 29 :])
    (tmp_path / "there").mkdir()
    for name, part in {
        "page.zip": "is not Tiny-ImageNet-200: File is not a zip file",
        "empty.zip": 'is not Tiny-ImageNet-200: "There is no item named',
        "large.zip": "claims 10000000 bytes",
        "damaged.zip": "is not Tiny-ImageNet-200: Error -3 while decompressing",
        "encrypted.zip": "is not Tiny-ImageNet-200: File",
        "unnamed.zip": "is not Tiny-ImageNet-200: 'utf-8' codec can't decode byte 0xff",
        "lzma.zip": "is not Tiny-ImageNet-200: Corrupt input data",
        "missing.zip": "is not there",
    }.items():
        assert_one_line(run(tmp_path / name, tmp_path / "photos"), part)
        assert not (tmp_path / "photos").exists()
    assert_one_line(run(tmp_path / "empty.zip", tmp_path / "there"), "is there already")
    assert {path.suffix or path.name for path in tmp_path.iterdir()} == {".zip", "there"}
