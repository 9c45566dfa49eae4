"""The download in a network and from a server that misbehave, by a process that is killed."""

import gzip
import json
import signal
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from stages.common.base.errors import InputError
from stages.download import remote
from tests.download.conftest import (
    ARCHIVE,
    CONTENT,
    PART,
    RETRY,
    assert_expected,
    assert_one_line,
    failure,
    finished,
    images_of,
    md5,
    members,
    stored,
    take_for_official,
    tar_gz,
    write_params,
)

HALF = len(ARCHIVE) // 2
LABELLED = len(ARCHIVE) - 50_000  # of its bytes, all of which are needed


def test_cut_connection_resumes_where_it_stopped(project, site, expected):
    server = site(ARCHIVE)
    server.cuts = [HALF, 1000, 300_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert server.requests == [None, *(f"bytes={HALF + n}-" for n in (0, 1000, 301_000))]
    assert server.twice == 0


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
def test_a_file_that_nothing_vouches_for_is_read_from_its_beginning(project, site, expected, etag):
    server = site(ARCHIVE)
    server.etag = etag
    server.cuts = [HALF]
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None, None]


def test_a_date_of_change_vouches_for_the_bytes_too(project, site, expected):
    server = site(ARCHIVE)
    server.etag = ""
    server.headers = {"Last-Modified": "Sat, 24 Oct 2026 10:00:00 GMT"}
    server.cuts = [HALF]
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None, f"bytes={HALF}-"] and server.twice == 0


def test_later_run_resumes_where_the_earlier_one_stopped(project, site, expected):
    server = site(ARCHIVE)
    server.cuts = [700_000, 0, 0, 0]
    message = failure(server.url)
    assert "the connection was cut" in message and "the same command" in message
    assert "0.7 MB" in message and PART.stat().st_size == 700_000
    assert server.served == 700_000
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert server.requests[-1] == "bytes=700000-" and server.twice == 0


def test_server_without_ranges_starts_again(project, site, expected):
    server = site(ARCHIVE)
    server.ranges = False
    server.cuts = [600_000, 900_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert len(server.requests) == 3 and server.served > 1_500_000


@pytest.mark.parametrize("chunked", [False, True])
def test_server_without_a_length_is_asked_for_the_rest(project, site, expected, chunked):
    server = site(ARCHIVE)
    server.headers = {"Content-Length": None}
    server.chunked = chunked
    server.cuts = [600_000, 600_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    assert server.requests[:3] == [None, "bytes=600000-", "bytes=1200000-"]
    assert server.twice == 0


def test_file_that_changed_meanwhile_is_read_from_its_beginning(project, site):
    server = site(ARCHIVE)
    server.cuts = [600_000, 0, 0, 0]
    failure(server.url)
    other = members(seed=1)
    server.content, server.etag = tar_gz(other), '"second"'
    source, images = images_of(server.url, content=other)
    assert np.array_equal(images[0], stored(other["test_X.bin"])[0])


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
    assert "the server answers 503" in failure(server.url)
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusal_fails_at_once(project, site, status):
    server = site(ARCHIVE)
    server.answers = [status]
    assert f"the server answers {status}" in failure(server.url)
    assert len(server.requests) == 1


def test_redirect_is_followed(project, site, expected):
    server = site(ARCHIVE)
    server.location = server.url.replace("stl10_binary.tar.gz", "moved")
    server.cuts = [600_000]
    source, images = images_of(server.url)
    assert_expected(source, images, expected)
    # the first address is asked again: where it leads to may not last
    assert server.requests == [None, None, "bytes=600000-", "bytes=600000-"]


def test_no_network_says_what_to_do(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/stl10_binary.tar.gz"
    message = failure(url)
    assert "no connection, tried 4 times" in message and "run the same command" in message


def test_stalled_server_runs_into_the_time_limit(project, site, monkeypatch):
    monkeypatch.setattr(remote, "TIMEOUT", (1, 0.1))
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
    server.content, server.etag = b"<html>log in</html>", ""
    server.headers = {"Content-Type": "text/html"}
    server.ranges = False
    assert "a web page came in place of the archive" in failure(server.url)
    assert PART.stat().st_size == 600_000


def test_archive_without_end_does_not_fill_the_disk(project, site, monkeypatch):
    monkeypatch.setattr(remote, "LARGEST_ARCHIVE", 10**6)
    # blocks that hold nothing: no member ever begins
    server = site(gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 2**22)
    assert "is larger than 1000000 bytes" in failure(server.url)
    assert server.served < 10**6 + 2**23 < len(server.content) // 2
    assert not PART.exists()


# ---- cuts at random --------------------------------------------------------------------------


def random_cuts(count: int, seed: int) -> tuple[list[int], int]:
    """Cut an archive at random points, and every fifth answer already in its headers.

    Returns the cuts for the server, and how many of them are in headers.
    """
    rng = np.random.default_rng(seed)
    points = np.sort(rng.choice(LABELLED, count, replace=False))
    cuts = np.diff(points, prepend=0).tolist()
    in_headers = range(4, count, 5)
    for number in reversed(in_headers):
        cuts.insert(number, -int(rng.integers(1, 200)))
    return cuts, len(in_headers)


@pytest.mark.parametrize(
    "count, seed",
    [(20, 0), (20, 1), *(pytest.param(300, n, marks=pytest.mark.long) for n in range(2, 7))],
)
def test_cuts_at_random_points_cost_no_byte(project, site, expected, count, seed):
    server = site(ARCHIVE)
    server.cuts, in_headers = random_cuts(count, seed)
    assert_expected(*images_of(server.url, retry=RETRY.new(total=20)), expected)
    assert len(server.requests) == count + in_headers + 1
    assert server.twice == 0


@pytest.mark.parametrize(
    "count, seed", [(20, 0), *(pytest.param(100, n, marks=pytest.mark.long) for n in range(1, 4))]
)
def test_cuts_at_random_points_without_ranges_start_again(project, site, expected, count, seed):
    server = site(ARCHIVE)
    server.ranges = False
    points = np.random.default_rng(seed).choice(LABELLED, count, replace=False)
    server.cuts = points.tolist()
    assert_expected(*images_of(server.url, retry=RETRY.new(total=100)), expected)
    assert server.requests[0] is None and len(server.requests) == count + 1
    assert server.twice >= points.sum() - points.max()  # there is no other way


@pytest.mark.parametrize(
    "count, seed", [(20, 0), *(pytest.param(100, n, marks=pytest.mark.long) for n in range(1, 4))]
)
def test_runs_that_give_up_at_random_points_add_up(project, site, expected, count, seed):
    server = site(ARCHIVE)
    points = np.sort(np.random.default_rng(seed).choice(LABELLED, count, replace=False))
    server.cuts = np.diff(points, prepend=0).tolist()
    for point in points:
        with pytest.raises(InputError, match="tried 1 times"):
            images_of(server.url, retry=RETRY.new(total=0))
        assert PART.stat().st_size == point
    assert_expected(*images_of(server.url), expected)
    assert server.twice == 0


# ---- stalls ----------------------------------------------------------------------------------


def test_stall_within_the_archive_is_asked_for_the_rest(project, site, expected, monkeypatch):
    monkeypatch.setattr(remote, "TIMEOUT", (5, 0.5))
    server = site(ARCHIVE)
    server.silent = True
    server.cuts = [600_000, 0, 100_000]
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None, *["bytes=600000-"] * 2, "bytes=700000-"]
    assert server.twice == 0


def test_server_that_always_stalls_is_given_up(project, site, expected, monkeypatch):
    monkeypatch.setattr(remote, "TIMEOUT", (5, 0.5))
    server = site(ARCHIVE)
    server.silent = True
    # a few bytes between two stalls are no progress
    server.cuts = [600_000] + [100] * 9
    assert "no answer within 5 s, tried 4 times" in failure(server.url)
    assert PART.stat().st_size == 600_300
    server.cuts = []
    assert_expected(*images_of(server.url), expected)
    assert server.twice == 0


@pytest.fixture
def hasty(monkeypatch):
    """Measure the speed soon, but not so soon that a busy machine looks like a stall."""
    monkeypatch.setattr(remote, "WINDOW", 1.5)
    monkeypatch.setattr(remote, "LEAST", 6000)


@pytest.mark.parametrize("at", [0, 600_000])
def test_drip_is_a_stall(project, site, expected, hasty, at):
    server = site(ARCHIVE)
    server.drips = [at]
    assert_expected(*images_of(server.url), expected)
    assert len(server.requests) == 2
    asked = int(server.requests[1].removeprefix("bytes=").removesuffix("-"))
    assert at < asked < at + 2000  # what dripped in is kept


@pytest.mark.parametrize("ranges", [True, False])
def test_slow_but_steady_server_is_left_alone(project, site, expected, hasty, ranges):
    server = site(ARCHIVE)
    server.ranges = ranges
    server.pause = 0.02
    server.cuts = [600_000]
    assert_expected(*images_of(server.url), expected)
    assert len(server.requests) == 2


# ---- headers that are wrong ------------------------------------------------------------------


@pytest.mark.parametrize("length", [str(len(ARCHIVE) + 10**6), "-3", "many", None])
def test_length_that_is_too_large_or_none_does_no_harm(project, site, expected, length):
    server = site(ARCHIVE)
    server.headers = {"Content-Length": length}
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None]


def test_length_that_is_too_large_does_not_hide_a_short_archive(project, site, expected):
    server = site(ARCHIVE[:1_500_000])
    server.headers = {"Content-Length": str(len(ARCHIVE))}
    assert "the archive is cut short" in failure(server.url)
    assert server.requests[:2] == [None, "bytes=1500000-"]
    server.content, server.headers = ARCHIVE, {}
    assert_expected(*images_of(server.url), expected)


@pytest.mark.parametrize("length", [0, 5, 1_500_000])
def test_length_that_is_too_small_ends_in_one_line(project, site, expected, length):
    server = site(ARCHIVE)
    server.headers = {"Content-Length": str(length)}
    message = failure(server.url)
    assert "the archive is cut short" in message or "not a whole .tar.gz archive" in message
    kept = PART.stat().st_size if PART.exists() else 0
    # the test images were good, but for what may have been read in advance
    assert (kept > len(CONTENT["test_X.bin"]) - remote.READ_AHEAD) == (length == 1_500_000)
    server.headers = {}
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None, f"bytes={kept}-" if kept else None]


@pytest.mark.parametrize(
    "span",
    [f"bytes 600001-{len(ARCHIVE) - 1}/{len(ARCHIVE)}", "bytes 0-9/10", "bytes */*", "some", None],
)
def test_range_that_was_not_asked_for_is_not_taken(project, site, expected, span):
    server = site(ARCHIVE)
    server.headers = {"Content-Range": span}
    server.cuts = [600_000]
    assert_expected(*images_of(server.url), expected)
    assert server.requests == [None, "bytes=600000-", None]


# ---- processes -------------------------------------------------------------------------------


def wait_until(condition, process) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


def assert_finished(process, expected) -> None:
    result = finished(process)
    assert result.returncode == 0, result.stderr
    assert np.array_equal(np.load("data/raw/images.npy"), expected[0])
    assert np.array_equal(np.load("data/raw/labels.npy"), expected[1])
    source = json.loads(Path("data/raw/source.json").read_text())
    digests = {name: md5(CONTENT)[name] for name in source["checksums"]}
    assert source["checksums"] == {name: f"md5:{digest}" for name, digest in digests.items()}
    assert len(digests) == 4
    assert not list(Path("data/.download").iterdir())


def test_second_run_at_once_ends_in_one_line_and_leaves_the_first_alone(start, site, expected):
    server = site(ARCHIVE)
    server.cuts, server.silent = [700_000], True
    take_for_official(CONTENT)
    write_params("stl10", server.url)
    first = start()
    wait_until(lambda: server.served == 700_000, first)
    lock = "data/.download/stl10_binary.tar.gz.lock"
    Path("sitecustomize.py").unlink()  # the second gets nowhere near the checksums
    assert_one_line(finished(start()), "another run", "stl10_binary.tar.gz", lock)
    assert server.requests == [None]
    server.wake.set()
    assert_finished(first, expected)
    assert server.requests == [None, "bytes=700000-"] and server.twice == 0


@pytest.mark.parametrize(
    "kills", [3, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_killed_process_costs_no_byte_that_had_arrived(start, site, expected, kills):
    """Kill the real command at random points; neither its lock nor half a result remains."""
    server = site(ARCHIVE)
    server.pause = 0.02
    take_for_official(CONTENT)
    write_params("stl10", server.url)
    requests, lost = [None], 0
    for point in np.sort(np.random.default_rng(kills).integers(LABELLED, size=kills)):
        process, answers = start(), len(requests)
        wait_until(
            lambda at=point, answers=answers: len(server.sent) == answers and server.sent_to > at,
            process,
        )
        sent_to = server.sent_to
        process.kill()
        process.wait()
        assert not Path("data/raw").exists()
        kept = PART.stat().st_size
        requests.append(f"bytes={kept}-" if kept else None)
        lost += sent_to - kept
    assert_finished(start(), expected)
    # what is on the disk is never asked for again; what is lost was still on its way
    assert server.requests == requests
    assert lost < kills * 2**17
    print(f"{kills} kills: {lost} of {len(ARCHIVE)} bytes were on their way")


@pytest.mark.parametrize("moment", ["while bytes come", "before a new try"])
def test_interrupt_ends_the_download_in_one_line(start, site, moment):
    server = site(ARCHIVE)
    server.pause = 0.1
    write_params("stl10", server.url)
    if moment == "before a new try":
        server.answers = [503] * 9
    process = start()
    wait_until(lambda: len(server.requests) > 2 or server.served > 300_000, process)
    process.send_signal(signal.SIGINT)
    interrupted = time.monotonic()
    result = finished(process, timeout=10)
    print(f"ended {time.monotonic() - interrupted:.2f} s after the interrupt")
    assert result.returncode == 130
    assert result.stderr.startswith("interrupted") and result.stderr.count("\n") == 1
    assert PART.stat().st_size >= (300_000 - 2**17 if server.sent else 0)
