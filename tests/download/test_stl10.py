"""The reader of the official archive, against torchvision and a server that misbehaves."""

import functools
import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from stages.common.base.errors import InputError
from stages.download import stl10
from stages.download.remote import READ_AHEAD
from tests.download.conftest import (
    ARCHIVE,
    CONTENT,
    PART,
    RETRY,
    assert_expected,
    assert_one_line,
    failure,
    images_of,
    md5,
    patch_torchvision,
    tar,
    tar_gz,
)


def local(archive: bytes, name="archive.tar.gz") -> Path:
    Path(name).write_bytes(archive)
    return Path(name)


def test_images_are_those_that_torchvision_reads(project, expected):
    source, images = images_of(local(ARCHIVE).absolute())
    assert_expected(source, images, expected)
    assert source.groups == [("test", 40), ("train", 30)]
    assert source.classes == CONTENT["class_names.txt"].decode().split()
    assert source.checksums["train_y.bin"] == "md5:" + md5(CONTENT)["train_y.bin"]
    assert Path("archive.tar.gz").exists()


def test_order_of_the_members_does_not_matter(project, expected):
    content = dict(reversed(CONTENT.items()))
    source, images = images_of(local(tar_gz(content)))
    assert_expected(source, images, expected)


def test_checksums_default_to_those_of_torchvision(project, expected, monkeypatch):
    path = str(local(ARCHIVE))
    with pytest.raises(InputError, match="test_X.bin has the md5 .*, 7f263ba9f9e0b06b9"):
        stl10.open_source(path, None)
    patch_torchvision(monkeypatch, md5(CONTENT))
    source = stl10.open_source(path, None)
    assert np.array_equal(np.stack([image for image, _ in source.images]), expected[0])


def test_per_class_keeps_the_proportion_of_test_and_train(project, expected):
    source, images = images_of(local(ARCHIVE), per_class=5)
    assert np.bincount(source.labels).tolist() == [5] * 10
    assert source.groups == [("test", 30), ("train", 20)]
    known = {image.tobytes(): label for image, label in zip(*expected, strict=True)}
    assert [known[image.tobytes()] for image in images] == source.labels.tolist()


def test_download_stops_after_the_labelled_members(project, site, expected):
    server = site(
        tar_gz(CONTENT | {"unlabeled_X.bin": bytes(np.random.default_rng(1).bytes(2**25))})
    )
    labelled = len(ARCHIVE)
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    # what the sockets hold in their buffers is served, but not waited for
    assert labelled < server.served < labelled + 2**23 < len(server.content) // 2
    assert not list(Path("data/.download").iterdir())


def test_part_is_kept_until_the_last_image_is_handed_over(project, site):
    server = site(ARCHIVE)
    source = stl10.open_source(server.url, None, md5(CONTENT), RETRY)
    next(source.images)
    assert PART.exists()
    list(source.images)
    assert not PART.exists()


@pytest.mark.parametrize("name", ["test_X.bin", "test_y.bin", "train_X.bin", "train_y.bin"])
def test_wrong_member_is_named_and_fetched_anew(project, site, expected, name):
    bare = tar({f"stl10_binary/{member}": data for member, data in CONTENT.items()})
    good = gzip.compress(bare, 0, mtime=0)  # stored as it is: one byte can be flipped
    with tarfile.open(fileobj=io.BytesIO(bare)) as archive:
        start = archive.getmember(f"stl10_binary/{name}").offset_data
    flipped = bytearray(good)
    flipped[good.index(CONTENT[name][:20], start)] ^= 1
    server = site(bytes(flipped))
    assert f"{name} has the md5" in failure(server.url)
    server.content = good
    assert_expected(*images_of(server.url), expected)
    first, again = server.requests
    assert first is None
    if name == "test_X.bin":  # nothing good came before it
        assert again is None
    else:
        # what was good is not fetched twice, but for what may have been read in advance
        asked = int(again.removeprefix("bytes=").removesuffix("-"))
        assert start - READ_AHEAD - 2**11 < asked < start


@pytest.mark.parametrize("position", [0, 5_000, 700_000, 1_500_000])
def test_flipped_byte_on_the_way_never_gives_other_images(project, site, expected, position):
    damaged = bytearray(ARCHIVE)
    damaged[position] ^= 0x55
    server = site(bytes(damaged))
    assert "md5" in (message := failure(server.url)) or "not a whole" in message
    server.content = ARCHIVE
    assert_expected(*images_of(server.url), expected)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.95])
def test_archive_cut_short(project, site, share):
    short = ARCHIVE[: int(len(ARCHIVE) * share)]
    for path in (local(short), site(short).url):
        message = failure(path)
        assert "cut short" in message or "not a whole .tar.gz archive" in message


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "stl10_binary/../../evil"])
def test_member_that_points_outside_is_refused(project, name):
    archive = gzip.compress(tar({name: b"x"}))
    assert f"'{name}' points outside" in failure(local(archive))
    assert sorted(path.name for path in Path().iterdir()) == ["archive.tar.gz"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_link_or_device_is_refused(project, kind):
    info = tarfile.TarInfo("stl10_binary/test_X.bin")
    info.type, info.linkname = kind, "/etc/passwd"
    archive = gzip.compress(info.tobuf() + bytes(1024))
    assert "is no plain file" in failure(local(archive))


@pytest.mark.parametrize("name", ["test_X.bin", "train_y.bin", "unlabeled_X.bin"])
def test_member_too_large_stops_before_it_is_read(project, site, name):
    server = site(huge_member(name))
    assert f"claims {2**33} bytes" in failure(server.url)
    assert not PART.exists()


def huge_member(name: str) -> bytes:
    info = tarfile.TarInfo(f"stl10_binary/{name}")
    info.size = 2**33
    return gzip.compress(info.tobuf() + np.random.default_rng(0).bytes(2**22), 1)


def test_member_too_large_does_not_fill_the_disk(download, site):
    """The real command, with files limited to far less than what the server would send."""
    resource = pytest.importorskip("resource", reason="no limits of a process on this system")
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2**16, 2**16))
    server = site(huge_member("test_X.bin"))
    assert_one_line(download("stl10", server.url, before=limit), f"claims {2**33} bytes")
    assert not PART.exists()


def test_header_that_would_fill_the_memory_is_refused(project):
    info = tarfile.TarInfo("stl10_binary/test_X.bin")
    info.type, info.size = tarfile.XHDTYPE, 2**26
    archive = gzip.compress(info.tobuf() + bytes(2**26), 1)
    assert "a header of more than" in failure(local(archive))


def unpacked(content: dict[str, bytes], folder="stl10_binary") -> Path:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (Path(folder) / name).write_bytes(data)
    return Path(folder)


@pytest.mark.parametrize("path", ["data/there/stl10_binary", "data/there", "moved"])
def test_unpacked_folder_gives_the_images_of_the_archive(project, expected, path):
    folder = unpacked(CONTENT, "moved" if path == "moved" else "data/there/stl10_binary")
    assert_expected(*images_of(path), expected)
    assert sorted(file.name for file in folder.iterdir()) == sorted(CONTENT)


@pytest.mark.parametrize("name", ["test_X.bin", "test_y.bin", "train_X.bin", "train_y.bin"])
def test_wrong_member_of_a_folder_is_named(project, name):
    data = CONTENT[name]
    for wrong, words in {
        bytes([data[0] ^ 1]) + data[1:]: f"{name} has the md5",
        data + bytes(2**28): f"{name} has {len(data) + 2**28} bytes",
    }.items():
        unpacked(CONTENT | {name: wrong})
        assert words in failure("stl10_binary")
    Path("stl10_binary", name).unlink()
    assert f"lacks {name}; unpack the archive anew" in failure("stl10_binary")


# each a fifth of the 30 training images
FOLDS = {"fold_indices.txt": b"".join(b"%d 5 1 9 29 0 \n" % (10 + i) for i in range(10))}
BIG = {"unlabeled_X.bin": np.random.default_rng(1).bytes(2**25)}
LABELLED = {name: data for name, data in CONTENT.items() if name != "unlabeled_X.bin"}


@pytest.mark.parametrize(
    "content, there",
    [
        (LABELLED | FOLDS | BIG, True),
        (LABELLED | FOLDS, True),
        (FOLDS | LABELLED | BIG, True),
        (LABELLED | BIG | FOLDS, False),  # not worth the unlabelled images
    ],
    ids=["official order", "alone", "first", "last"],
)
def test_folds_are_read_unless_the_unlabelled_images_come_before_them(
    project, site, expected, content, there
):
    server = site(tar_gz(content))
    for path in (server.url, local(tar_gz(content)), unpacked(content)):
        source, images = images_of(path)
        assert_expected(source, images, expected)
        assert (source.folds is not None) == (there or path == Path("stl10_binary"))
        if source.folds is not None:
            # the 40 test images come first
            first, *_, last = source.folds.tolist()
            assert (first, last) == ([50, 45, 41, 49, 69, 40], [59, 45, 41, 49, 69, 40])
            assert source.checksums["fold_indices.txt"] == "md5:" + md5(FOLDS)["fold_indices.txt"]
    if list(content)[-1] in BIG:
        assert server.served < len(ARCHIVE) + 2**23 < len(server.content) // 2
    assert stl10.open_source("stl10_binary", 2, md5(CONTENT)).folds is None


def test_what_is_wrong_behind_the_labelled_members_does_not_refuse_them(project, expected):
    content = LABELLED | {"more.txt": bytes(20_000)} | FOLDS  # a tar is read in blocks
    bare = tar({f"stl10_binary/{name}": data for name, data in content.items()})
    end = bare.index(FOLDS["fold_indices.txt"][:20])
    whole = gzip.compress(bare, 0)
    for archive in (gzip.compress(bare[:end], 0), whole[: whole.index(b"10 5 1 9 29") + 40]):
        source, images = images_of(local(archive))
        assert_expected(source, images, expected)
        assert source.folds is None


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_is_gone_behind_the_labelled_members_is_not_needed(
    project, site, expected, ranges
):
    content = LABELLED | {"more.txt": bytes(20_000)} | FOLDS
    bare = tar({f"stl10_binary/{name}": data for name, data in content.items()})
    server = site(gzip.compress(bare, 0))
    server.ranges = ranges
    server.cuts = [server.content.index(b"10 5 1 9 29") + 40, 0, 0, 0]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert source.folds is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"29", b"30"),  # there are 30 training images
        lambda text: text.replace(b"29", b"-1"),
        lambda text: text.replace(b"29", b"\xff"),
        lambda text: text.replace(b"29", b"5"),
        lambda text: text.replace(b"29", b""),
        lambda text: text.replace(b"29", b"9" * 90_000),
        lambda text: text[:20],
    ],
)
def test_folds_of_another_form_are_refused(project, change):
    content = LABELLED | {"fold_indices.txt": change(FOLDS["fold_indices.txt"])[:100_000]}
    for path in (local(tar_gz(content)), unpacked(content)):
        words = "fold_indices.txt is not 10 lines of 6 different numbers below 30"
        assert words in failure(path)
