"""The reader of the official archive, against torchvision and a server that misbehaves."""

import gzip
import io
import socket
import tarfile
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import STL10

from stages.common.cli import InputError
from stages.download import stl10
from tests.download.conftest import md5, members, tar, tar_gz

CONTENT = members()
ARCHIVE = tar_gz(CONTENT)
WAITS = (0.01, 0.01, 0.01)
PART = Path("data/.download/stl10_binary.tar.gz.part")


def images_of(path, per_class=None, content=CONTENT):
    source = stl10.open_source(str(path), per_class, md5(content), WAITS)
    return source, np.stack([image for image, _ in source.images])


def failure(path, content=CONTENT) -> str:
    with pytest.raises(InputError) as caught:
        images_of(path, content=content)
    message = str(caught.value)
    assert "\n" not in message
    return message


def local(archive: bytes, name="archive.tar.gz") -> Path:
    Path(name).write_bytes(archive)
    return Path(name)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What torchvision reads from the same bytes: test, then train."""
    root = tmp_path_factory.mktemp("torchvision")
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE)) as archive:
        archive.extractall(root, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch_torchvision(patch, md5(CONTENT))
        parts = [STL10(root, split) for split in ("test", "train")]
    images = [np.asarray(image) for part in parts for image, _ in part]
    return np.stack(images), np.concatenate([part.labels for part in parts])


def patch_torchvision(patch, digests):
    for names, which in ((["test"], "test_list"), (["train", "unlabeled"], "train_list")):
        files = [n for n in digests if n.split("_")[0] in names and n.endswith(".bin")]
        patch.setattr(STL10, which, [[name, digests[name]] for name in files])


def assert_expected(source, images, expected):
    assert np.array_equal(images, expected[0])
    assert np.array_equal(source.labels, expected[1])
    assert source.labels.dtype == np.uint8 and images.dtype == np.uint8


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
    source = stl10.open_source(server.url, None, md5(CONTENT), WAITS)
    next(source.images)
    assert PART.exists()
    list(source.images)
    assert not PART.exists()


@pytest.mark.parametrize("etag", ['"first"', 'W/"weak"', ""])
def test_cut_connection_resumes_where_it_stopped(project, site, expected, etag):
    server = site(ARCHIVE)
    server.etag = etag
    server.cuts = [len(ARCHIVE) // 2, 1000, 300_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    half = len(ARCHIVE) // 2
    assert server.requests == [None, *(f"bytes={half + n}-" for n in (0, 1000, 301_000))]
    assert server.served <= len(ARCHIVE)


def test_later_run_resumes_where_the_earlier_one_stopped(project, site, expected):
    server = site(ARCHIVE)
    server.cuts = [700_000, 0, 0, 0]
    message = failure(server.url)
    assert "the connection was cut" in message and "the same command" in message
    assert "0.7 MB" in message and PART.stat().st_size == 700_000
    assert server.served == 700_000
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert server.requests[-1] == "bytes=700000-" and server.served <= len(ARCHIVE)


def test_server_without_ranges_starts_again(project, site, expected):
    server = site(ARCHIVE)
    server.ranges = False
    server.cuts = [600_000, 900_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert len(server.requests) == 3 and server.served > 1_500_000


def test_server_without_ranges_that_always_cuts_is_given_up(project, site):
    server = site(ARCHIVE)
    server.ranges = False
    server.cuts = [600_000] * 20
    assert "the connection was cut, tried 4 times" in failure(server.url)
    assert len(server.requests) == 4


def test_server_without_a_length_is_asked_for_the_rest(project, site, expected):
    server = site(ARCHIVE)
    server.length = False
    server.cuts = [600_000, 600_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert server.requests[:3] == [None, "bytes=600000-", "bytes=1200000-"]


def test_file_that_changed_meanwhile_is_read_from_its_beginning(project, site):
    server = site(ARCHIVE)
    server.cuts = [600_000, 0, 0, 0]
    failure(server.url)
    other = members(seed=1)
    server.content, server.etag = tar_gz(other), '"second"'
    source, images = images_of(server.url, content=other)
    assert np.array_equal(images[0], stored(other["test_X.bin"])[0])


def stored(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)


def test_part_of_another_url_is_not_used(project, site, expected):
    first, second = site(ARCHIVE), site(ARCHIVE)
    first.cuts = [600_000, 0, 0, 0]
    failure(first.url)
    source, images = images_of(second.url)
    assert_expected(source, images, expected)
    assert second.requests == [None]


def test_busy_server_is_asked_again(project, site, expected):
    server = site(ARCHIVE)
    server.answers = [503, 500, 429]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)


def test_busy_server_is_given_up(project, site):
    server = site(ARCHIVE)
    server.answers = [503] * 9
    assert "the server answers 503 (Service Unavailable), tried 4 times" in failure(server.url)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusal_fails_at_once(project, site, status):
    server = site(ARCHIVE)
    server.answers = [status]
    assert f"the server answers {status}" in failure(server.url)
    assert len(server.requests) == 1


def test_redirect_is_followed(project, site, expected):
    server = site(ARCHIVE)
    server.location = server.url.replace("stl10_binary.tar.gz", "moved")
    source, images = images_of(server.url)
    assert_expected(source, images, expected)


def test_endless_redirect_fails(project, site):
    server = site(ARCHIVE)
    server.location = server.url
    assert "redirects" in failure(server.url)


def test_no_network_says_what_to_do(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/stl10_binary.tar.gz"
    message = failure(url)
    assert "no connection, tried 4 times" in message and "run the same command" in message


def test_stalled_server_runs_into_the_time_limit(project, site, monkeypatch):
    monkeypatch.setattr(stl10, "TIMEOUT", (1, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stl10_binary.tar.gz"
        assert "no answer within" in failure(url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a.tar.gz", "http://", "http://[/a.tar.gz"])
def test_url_that_is_none_fails(project, url):
    assert "cannot be fetched" in failure(url)


def test_web_page_does_not_cost_what_is_here(project, site, expected):
    server = site(ARCHIVE)
    server.cuts = [600_000, 0, 0, 0]
    failure(server.url)
    server.content, server.etag, server.content_type = b"<html>log in</html>", "", "text/html"
    server.ranges = False
    assert "a web page came in place of the archive" in failure(server.url)
    assert PART.stat().st_size == 600_000


def test_page_that_hides_its_type_is_no_archive(project, site):
    assert "not a whole .tar.gz archive" in failure(site(b"<html>log in</html>").url)
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
    before = server.served
    assert_expected(*images_of(server.url), expected)
    if name.startswith("train"):
        # the test images were good and are not fetched twice
        assert server.served - before < len(good) - 500_000


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


def test_missing_member_is_named(project):
    content = {name: data for name, data in CONTENT.items() if name != "train_y.bin"}
    assert "the archive lacks train_y.bin" in failure(local(tar_gz(content)))


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
    info = tarfile.TarInfo(f"stl10_binary/{name}")
    info.size = 2**33
    server = site(gzip.compress(info.tobuf() + np.random.default_rng(0).bytes(2**22), 1))
    assert f"claims {2**33} bytes" in failure(server.url)
    assert not PART.exists()


def test_header_that_would_fill_the_memory_is_refused(project):
    info = tarfile.TarInfo("stl10_binary/test_X.bin")
    info.type, info.size = tarfile.XHDTYPE, 2**26
    archive = gzip.compress(info.tobuf() + bytes(2**26), 1)
    assert "a header of more than" in failure(local(archive))


def test_labels_out_of_range(project):
    content = CONTENT | {"train_y.bin": bytes([11, *CONTENT["train_y.bin"][1:]])}
    message = failure(local(tar_gz(content)), content)
    assert "train_y.bin has labels from 1 to 11: 1..10 is needed" in message


@pytest.mark.parametrize("name", ["test_X.bin", "test_y.bin"])
def test_images_and_labels_that_do_not_match(project, name):
    content = CONTENT | {name: CONTENT[name][:-1]}
    assert "as many labels as whole images are needed" in failure(local(tar_gz(content)), content)


def test_local_archive_that_is_not_there(project):
    assert f"{project / 'nowhere.tar.gz'} is not there" in failure("nowhere.tar.gz")


def test_mutated_archives_give_the_right_images_or_one_line(project, expected):
    """Small archives, so that the damage hits headers as often as content."""
    content = members(1, 1)
    plain, digests = tar_gz(content), md5(content)
    rng = np.random.default_rng(0)
    outcomes = {"right": 0, "refused": 0}
    bare = bytearray(gzip.decompress(plain))
    headers = [start + at for start in find_headers(bare) for at in range(0, 512)]
    for _ in range(300):
        mutated = bare.copy()
        for position in rng.choice(headers, 3):
            mutated[position] = rng.integers(256)
        path = str(local(gzip.compress(mutated, 0)))
        try:
            source = stl10.open_source(path, None, digests, WAITS)
        except InputError as error:
            assert "\n" not in str(error)
            outcomes["refused"] += 1
        else:
            images = [image for image, _ in source.images]
            assert np.array_equal(images[0], stored(content["test_X.bin"])[0])
            outcomes["right"] += 1
    assert min(outcomes.values()) > 0, outcomes


def find_headers(bare: bytes) -> list[int]:
    with tarfile.open(fileobj=io.BytesIO(bare)) as archive:
        return [member.offset for member in archive]
