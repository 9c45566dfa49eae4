"""What the download tests share: an archive in the official layout, a web server, the command."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Give an empty project's folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def download(project):
    """Give the command `python -m stages.download`, called with values of its params."""

    def call(source, path=None, per_class=None, before=None):
        write_params(source, path, per_class)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "stages.download"]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, preexec_fn=before, timeout=60
        )

    return call


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


class Site:
    """A web server on loopback with one file and the faults that a test asks for."""

    def __init__(self, content: bytes):
        self.content = content
        self.ranges = True
        self.etag = '"first"'
        self.content_type = "application/gzip"
        self.length = True  # send Content-Length
        self.cuts: list[int] = []  # for each answer, after how many bytes it is cut
        self.answers: list[int] = []  # status codes to answer with first
        self.location: str | None = None
        self.requests: list[str | None] = []  # the Range header of each
        self.served = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/stl10_binary.tar.gz"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

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
                start = 0
                matches = self.headers.get("If-Range", site.etag) == site.etag
                if asked and site.ranges and matches:
                    start = int(asked.removeprefix("bytes=").removesuffix("-"))
                    self.send_response(206)
                    size = len(site.content)
                    self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
                else:
                    self.send_response(200)
                body = site.content[start:]
                if site.length:
                    self.send_header("Content-Length", str(len(body)))
                if site.etag:
                    self.send_header("ETag", site.etag)
                self.send_header("Content-Type", site.content_type)
                self.end_headers()
                self.send_body(body[: site.cuts.pop(0)] if site.cuts else body)

            def send_body(self, body):
                for start in range(0, len(body), 2**14):
                    try:
                        site.served += self.connection.send(body[start : start + 2**14])
                    except OSError:
                        return

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
