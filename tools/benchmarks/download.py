"""The labelled images of STL-10 over the network, against torchvision.

A server on this machine has an archive of the official layout with a fiftieth of the images.
"""

import hashlib
import io
import os
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from torchvision.datasets import STL10

from stages.common.study import SIDE
from stages.download import stl10
from stages.download.run import write
from tools.benchmarks.measure import agree, race
from tools.benchmarks.table import Row

ARCHIVE = "stl10_binary.tar.gz"
IMAGES = {"test": 160, "train": 100, "unlabeled": 2000}  # a fiftieth, in the official order
COARSE = 12  # pixels a side of what a picture shows
GRAIN = 1.8  # deviation of the noise on it: as hard to compress as the official images
PIECE = 2**16  # bytes
PAUSE = 0.004  # seconds after each piece

Labelled = tuple[np.ndarray, np.ndarray]


def rows(pairs: int) -> Iterator[Row]:
    """Compare bytes and seconds until the labelled images can be used.

    Yields
    ------
    Row
        First of the seconds, then of the bytes.
    """
    with tempfile.TemporaryDirectory() as folder, serving(folder) as server:
        content = members(IMAGES)
        pack(Path(folder) / ARCHIVE, content)
        url = f"http://127.0.0.1:{server.server_port}/{ARCHIVE}"
        official = like_the_official(url, content, Path(folder) / ARCHIVE)
        calls = partial(ours, url, md5(content)), partial(theirs, official)
        results, sent = [], []
        # slower than either of them reads: what waits in the system's buffers, megabytes, would
        # count as fetched
        server.pause = PAUSE
        for call in calls:
            server.sent = 0
            results.append(call())
            sent.append(server.sent / 1e6)
        server.pause = 0
        equality = same_images(*results)
        case = "archive of STL-10, a fiftieth"
        ways = "stages.download", "torchvision STL10(download=True)"
        yield Row(case, *ways, race(*calls, pairs), equality, "loopback: no network to wait for")
        yield Row(case, *ways, [tuple(sent)], equality, "what the server sends", "MB")


def members(images: dict[str, int]) -> dict[str, bytes]:
    """Draw the members of an archive, in the official order."""
    rng = np.random.default_rng(0)
    content = {}
    for group, count in images.items():
        show = rng.integers(0, 256, (count, 3, COARSE, COARSE), np.uint8)
        pixels = show.repeat(SIDE // COARSE, axis=2).repeat(SIDE // COARSE, axis=3)
        pixels = pixels + GRAIN * rng.standard_normal(pixels.shape, np.float32)
        content[f"{group}_X.bin"] = pixels.clip(0, 255).astype(np.uint8).tobytes()
        if group != "unlabeled":
            content[f"{group}_y.bin"] = (np.arange(count) % 10 + 1).astype(np.uint8).tobytes()
    return content


def md5(content: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.md5(data).hexdigest() for name, data in content.items()}


def pack(path: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(f"{STL10.base_folder}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


class Handler(SimpleHTTPRequestHandler):
    """Counts what is sent, and pauses after each piece."""

    def copyfile(self, source, outputfile) -> None:
        # a client that has all it needs hangs up
        with suppress(ConnectionError):
            while piece := source.read(PIECE):
                outputfile.write(piece)
                self.server.sent += len(piece)
                time.sleep(self.server.pause)

    def log_message(self, *arguments) -> None:
        pass


@contextmanager
def serving(folder: str) -> Iterator[ThreadingHTTPServer]:
    """Serve a folder's files on loopback: `sent` counts the bytes, `pause` slows them down."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        server.sent = server.pause = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def like_the_official(url: str, content: dict[str, bytes], archive: Path) -> type[STL10]:
    """Make torchvision's data set take this archive for the official one."""
    listed = [list(item) for item in md5(content).items()]
    attributes = {
        "url": url,
        "tgz_md5": hashlib.md5(archive.read_bytes()).hexdigest(),
        "test_list": [item for item in listed if item[0].startswith("test")],
        "train_list": [item for item in listed if not item[0].startswith("test")],
    }
    return type("Proportional", (STL10,), attributes)


def ours(url: str, md5: dict[str, str]) -> Labelled:
    """Fetch and write as the stage does: images uint8 (n, 96, 96, 3) and labels uint8 (n,)."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        source = stl10.open_source(url, None, md5)
        write(Path(folder), source)
        return np.load("images.npy"), np.load("labels.npy")


def theirs(official: type[STL10]) -> Labelled:
    """Fetch as torchvision does: images uint8 (n, 96, 96, 3) and labels uint8 (n,)."""
    # the bar of its progress
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        parts = [official(folder, "test", download=True), official(folder, "train")]
        images = np.concatenate([part.data for part in parts]).transpose(0, 2, 3, 1)
        return images, np.concatenate([part.labels for part in parts])


def same_images(ours: Labelled, other: Labelled) -> str:
    """Check that pixels and labels are the same; Different if not."""
    agree(ours[1], other[1], "labels")
    return f"labels and {agree(ours[0], other[0], 'pixels')}"
