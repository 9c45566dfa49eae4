"""What the download tests share: an archive in the official layout, a web server, the command."""

import gzip
import hashlib
import io
import itertools
import os
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import STL10

from stages.common.base.errors import InputError
from stages.download import remote, stl10

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Return an empty project's folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def start(project):
    """Start the command `python -m stages.download`; what still runs after the test is killed."""
    started = []

    def call(before=None):
        # the project comes first: it may hold the checksums of another archive than the official
        environment = os.environ | {"PYTHONPATH": f"{project}{os.pathsep}{ROOT}"}
        process = subprocess.Popen(
            [sys.executable, "-m", "stages.download"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def download(start):
    """Return the command `python -m stages.download`, called with values of its params."""

    def call(source, path=None, per_class=None, before=None):
        write_params(source, path, per_class)
        return finished(start(before))

    return call


def finished(process, timeout=60) -> subprocess.CompletedProcess:
    """Wait for a process and give what it printed."""
    output = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, *output)


def write_params(source, path=None, per_class=None) -> None:
    values = {"source": source, "path": path, "per_class": per_class, "seed": 0}
    lines = [f"  {key}: {'null' if value is None else value}" for key, value in values.items()]
    Path("params.yaml").write_text("\n".join(["download:", *lines]) + "\n")


def assert_one_line(result, *parts) -> None:
    """Check that a command failed with one line that holds the given parts."""
    assert result.returncode == 1, result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    for part in parts:
        assert part in result.stderr


def members(test=40, train=30, seed=0) -> dict[str, bytes]:
    """Make the members of an archive: random images, and labels that go round the ten classes."""
    rng = np.random.default_rng(seed)
    content = {
        "class_names.txt": b"airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n"
    }
    for group, count in (("test", test), ("train", train)):
        content[f"{group}_X.bin"] = rng.bytes(count * 27648)
        content[f"{group}_y.bin"] = (np.arange(count) % 10 + 1).astype(np.uint8).tobytes()
    return content | {"unlabeled_X.bin": rng.bytes(27648)}


def md5(content: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.md5(data).hexdigest() for name, data in content.items()}


def tar_gz(content: dict[str, bytes], folder="stl10_binary") -> bytes:
    """Pack members in the order given, under the official folder."""
    return gzip.compress(tar({f"{folder}/{name}": data for name, data in content.items()}), 1)


def tar(content: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


CONTENT = members()
ARCHIVE = tar_gz(CONTENT)
RETRY = remote.RETRY.new(total=3, backoff_factor=0.001)
PART = Path("data/.download/stl10_binary.tar.gz.part")


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """What torchvision reads from the same bytes: test, then train."""
    root = tmp_path_factory.mktemp("torchvision")
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE)) as archive:
        archive.extractall(root)
    with pytest.MonkeyPatch.context() as patch:
        patch_torchvision(patch, md5(CONTENT))
        parts = [STL10(root, split) for split in ("test", "train")]
    images = [np.asarray(image) for part in parts for image, _ in part]
    return np.stack(images), np.concatenate([part.labels for part in parts])


def official_lists(digests: dict[str, str]) -> dict[str, list]:
    """Return the lists of members in which torchvision carries the checksums."""
    lists = {"test_list": [], "train_list": []}
    for name in digests:
        if name.endswith(".bin"):
            which = "test_list" if name.startswith("test") else "train_list"
            lists[which].append([name, digests[name]])
    return lists


def patch_torchvision(patch, digests):
    for which, value in official_lists(digests).items():
        patch.setattr(STL10, which, value)


def take_for_official(content: dict[str, bytes]) -> None:
    """Have the processes that `start` starts take these members for the official ones."""
    lines = [f"STL10.{which} = {value}" for which, value in official_lists(md5(content)).items()]
    code = "\n".join(["from torchvision.datasets import STL10", *lines]) + "\n"
    Path("sitecustomize.py").write_text(code)


def images_of(path, per_class=None, content=CONTENT, retry=RETRY):
    source = stl10.open_source(str(path), per_class, md5(content), retry)
    return source, np.stack([image for image, _ in source.images])


def assert_expected(source, images, expected):
    assert np.array_equal(images, expected[0])
    assert np.array_equal(source.labels, expected[1])
    assert source.labels.dtype == np.uint8 and images.dtype == np.uint8


def failure(path, content=CONTENT) -> str:
    with pytest.raises(InputError) as caught:
        images_of(path, content=content)
    message = str(caught.value)
    assert "\n" not in message
    return message


def stored(data: bytes) -> np.ndarray:
    """Return the images of a member as they are stored: channel by channel, column by column."""
    return np.frombuffer(data, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)


class Site:
    """A web server on loopback with one file and the faults that a test asks for."""

    def __init__(self, content: bytes):
        self.content = content
        self.ranges = True
        self.etag = '"first"'
        self.chunked = False  # send chunks instead of a Content-Length
        self.headers: dict[str, str | None] = {}  # in place of the right ones; None: left out
        self.cuts: list[int] = []  # for each answer, where it is cut; below 0: in the headers
        self.silent = False  # where an answer is cut, the connection stays open until `wake`
        self.drips: list[int] = []  # for each answer, from where on it only drips
        self.pause = 0.0  # seconds after each piece
        self.answers: list[int] = []  # status codes to answer with first
        self.location: str | None = None
        self.requests: list[str | None] = []  # the Range header of each
        self.sent: list[list[int]] = []  # for each answer, where it starts and how much was sent
        self.wake = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/stl10_binary.tar.gz"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.wake.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def served(self) -> int:
        """Bytes of the file that were sent."""
        return sum(count for _, count in self.sent)

    @property
    def sent_to(self) -> int:
        """How far into the file the newest answer is."""
        return sum(self.sent[-1])

    @property
    def twice(self) -> int:
        """Bytes of the file that were sent again."""
        once = end = 0
        for start, count in sorted(self.sent):
            once += max(0, start + count - max(start, end))
            end = max(end, start + count)
        return self.served - once

    def handler(site):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                site.requests.append(asked)
                if site.answers:
                    self.send_error(site.answers.pop(0))
                    return
                if site.location and self.path != "/moved":
                    self.send_response(302)
                    self.send_header("Location", site.location)
                    self.end_headers()
                    return
                start, size = 0, len(site.content)
                headers = {"Content-Type": "application/gzip", "ETag": site.etag or None}
                validators = site.etag, site.headers.get("Last-Modified")
                matches = self.headers.get("If-Range", site.etag) in validators
                if asked and site.ranges and matches:
                    start = int(asked.removeprefix("bytes=").removesuffix("-"))
                status = 206 if start else 200
                if start:
                    headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
                if start and start >= size:
                    status, headers["Content-Range"] = 416, f"bytes */{size}"
                body = site.content[start:]
                if site.chunked:
                    headers["Transfer-Encoding"] = "chunked"
                else:
                    headers["Content-Length"] = str(len(body))
                cut = site.cuts.pop(0) if site.cuts else len(body)
                self.send_head(status, headers | site.headers, cut)
                site.sent.append([start, 0])
                self.send_body(body, cut, site.sent[-1])

            def send_head(self, status, headers, cut):
                wire, self.wfile = self.wfile, io.BytesIO()
                self.send_response(status)
                for name, value in headers.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                head, self.wfile = self.wfile.getvalue(), wire
                self.connection.sendall(head[: min(cut, 0) or None])

            def send_body(self, body, cut, sent):
                whole = cut >= len(body)
                body = body[: max(cut, 0)]
                drip = site.drips.pop(0) if site.drips else len(body)
                starts = [*range(0, min(drip, len(body)), 2**14), *range(drip, len(body))]
                for start, end in itertools.pairwise([*starts, len(body)]):
                    piece = body[start:end]
                    frame = b"%x\r\n%b\r\n" % (len(piece), piece) if site.chunked else piece
                    try:
                        self.connection.sendall(frame)
                    except OSError:
                        return
                    sent[1] += len(piece)
                    site.wake.wait(0.02 if start >= drip else site.pause)
                if whole and site.chunked:
                    self.connection.sendall(b"0\r\n\r\n")
                if site.silent and not whole:
                    site.wake.wait()

            def log_message(self, *args):
                pass

        return Handler


@pytest.fixture
def site():
    """Start servers that end with the test."""
    started = []

    def start(content):
        started.append(Site(content))
        return started[-1]

    yield start
    for each in started:
        each.close()
