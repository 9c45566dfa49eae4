"""The benchmark of downloads on a small archive."""

import pytest

from tools.benchmarks import download
from tools.benchmarks.measure import Different


@pytest.fixture
def results(tmp_path):
    content = download.members({"test": 20, "train": 10, "unlabeled": 300})
    archive = tmp_path / download.ARCHIVE
    download.pack(archive, content)
    with download.serving(str(tmp_path)) as server:
        server.pause = download.PAUSE
        url = f"http://127.0.0.1:{server.server_port}/{download.ARCHIVE}"
        ours = download.ours(url, download.md5(content))
        fetched = server.sent
        theirs = download.theirs(download.like_the_official(url, content, archive))
    return ours, theirs, fetched, archive.stat().st_size


def test_both_have_the_same_images_and_ours_fetches_less(results):
    ours, theirs, fetched, size = results
    assert ours[0].shape == (30, 96, 96, 3)
    assert download.same_images(ours, theirs) == "labels and pixels are the same"
    assert fetched < size / 5


def test_other_images_or_labels_are_not_timed(results):
    (images, labels), theirs, *_ = results
    images[3, 4, 5, 1] += 1
    with pytest.raises(Different, match="pixels differ"):
        download.same_images((images, labels), theirs)
    labels[[0, 1]] = labels[[1, 0]]
    with pytest.raises(Different, match="labels differ"):
        download.same_images((images, labels), theirs)


def test_the_archive_is_as_hard_to_compress_as_the_official_one(tmp_path):
    content = download.members({"test": 20, "train": 10, "unlabeled": 100})
    download.pack(tmp_path / download.ARCHIVE, content)
    share = (tmp_path / download.ARCHIVE).stat().st_size / sum(map(len, content.values()))
    assert share == pytest.approx(2.64 / 3.12, abs=0.03)
