"""The official STL-10 archive, read as a stream that ends with the last labelled member."""

import gzip
import hashlib
import json
import math
import os
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import requests
import urllib3

from stages.common import files
from stages.common.cli import InputError, log, progress
from stages.download.source import SIZE, STL10_CLASSES, Source, evenly_spaced

FOLDER = PurePosixPath("stl10_binary")
IMAGE = 3 * SIZE * SIZE  # bytes
COUNTS = {"test": 8000, "train": 5000}  # images of the official archive
LARGEST = {f"{group}_X.bin": count * IMAGE for group, count in COUNTS.items()} | {
    f"{group}_y.bin": count for group, count in COUNTS.items()
}
LARGEST_OTHER = 100_000 * IMAGE  # unlabeled_X.bin, which is passed over where it comes earlier
LARGEST_HEADER = 2**20  # bytes
MOST_MEMBERS = 100
PIECE = 10**6  # bytes

WORK = Path("data/.download")  # what has arrived stays here until the images are written
LARGEST_ARCHIVE = 4 * 10**9  # bytes
READ_AHEAD = 2**18  # bytes, no less than what the decompressor asks for in advance
TIMEOUT = (10, 30)  # seconds until there must be a connection, and between two pieces of data
WAITS = (1, 2, 4, 8)  # seconds before each new try; then it is given up
BUSY = (408, 429, 500, 502, 503, 504)  # answers that may be another at the next try
FAULTS = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)


class Damaged(InputError):
    """The archive is not what it should be: what was read since the last good member is no use."""


class Busy(requests.ConnectionError):
    """The server answers that it cannot serve now."""


class Restart(Exception):
    """The server sends the file from its beginning again: what was read of it is void."""


def open_source(
    path: str | None,
    per_class: int | None,
    md5: dict[str, str] | None = None,
    waits: tuple[float, ...] = WAITS,
) -> Source:
    """Open the labelled images of an archive in the official layout: test, then train.

    Parameters
    ----------
    path : str or None
        URL or local file of the archive; None is the official URL.
    per_class : int or None
        At most so many images of a class, over test and train together in their proportion.
    md5 : dict of str to str, optional
        Of the members `test_X.bin`, `test_y.bin`, `train_X.bin` and `train_y.bin`; by default
        those that torchvision carries.
    waits : tuple of float
        Seconds before each new try of a request that failed.

    Raises
    ------
    InputError
        The archive cannot be reached or is not what it should be. What has arrived from a URL and
        is good is kept: the next call goes on from there.
    """
    path = path or _official().url
    archive = Remote(path, waits) if "://" in path else Local(path)
    try:
        md5 = md5 or dict(_official().test_list + _official().train_list)
        members = _read(archive, md5)
        labels = {group: _labels(members, group) for group in COUNTS}
    except Damaged as error:
        archive.drop()
        raise InputError(f"{archive.name}: {error}; {archive.remedy}") from None
    finally:
        archive.close()
    picked = evenly_spaced(np.concatenate(list(labels.values())), per_class)
    in_test = picked < len(labels["test"])
    chosen = {"test": picked[in_test], "train": picked[~in_test] - len(labels["test"])}
    return Source(
        list(STL10_CLASSES),
        np.concatenate([labels[group][chosen[group]] for group in COUNTS]),
        _images(archive, members, chosen),
        [(group, len(chosen[group])) for group in COUNTS],
        {name: f"md5:{md5[name]}" for name in LARGEST},
    )


def _official():
    """Import torchvision's own data set, which takes seconds: only where it is needed."""
    from torchvision.datasets import STL10

    return STL10


class Local:
    """An archive on this machine."""

    remedy = "get the archive anew"

    def __init__(self, path: str):
        file = Path(path).expanduser().resolve()
        if not file.is_file():
            problem = "is not a file" if file.exists() else "is not there"
            raise InputError(f"{file} {problem}: download.path must be an archive or its URL")
        self.name = str(file)
        self._file = open(file, "rb")  # noqa: SIM115 (until `close`)
        self.read = self._file.read
        self.close = self._file.close

    def mark(self) -> None:
        """Do nothing: the file is the user's."""

    drop = remove = mark


class Remote:
    """An archive behind a URL, as a stream that outlives a cut connection and the process.

    All that arrives is appended to a file in the work folder. A request asks only for what is not
    in there yet, so an interrupted download goes on where it stopped. A server that cannot do
    that, or whose file is another one by now, makes `read` raise `Restart`.
    """

    remedy = "the same command fetches that part anew"

    def __init__(self, url: str, waits: tuple[float, ...]):
        self.name = url
        self._waits = waits
        self._failures = self._furthest = self._marked = 0
        self._response: requests.Response | None = None
        name = PurePosixPath(url.partition("?")[0]).name
        WORK.mkdir(parents=True, exist_ok=True)
        self._part = WORK / f"{name}.part"
        self._note = WORK / f"{name}.json"
        self._state = self._read_note()
        mode = "r+b" if self._state and self._part.exists() else "w+b"
        self._file = open(self._part, mode)  # noqa: SIM115 (until `close`)
        self._state = self._state or {"url": url, "validator": None, "size": None}
        if kept := self._part.stat().st_size:
            log(f"{kept / 1e6:.1f} MB of {name} are here from an earlier run: going on from there")

    def read(self, size: int) -> bytes:
        """Read on: first what is kept, then from the network; empty at the end of the archive."""
        data = self._file.read(size)
        if not data:
            data = self._fetch(size)
            self._file.write(data)
            if self._file.tell() > LARGEST_ARCHIVE:
                raise Damaged(f"is larger than {LARGEST_ARCHIVE} bytes")
        return data

    def mark(self) -> None:
        """Remember that all that was needed so far is good."""
        # bytes read in advance belong to what comes next
        self._marked = max(0, self._file.tell() - READ_AHEAD)

    def drop(self) -> None:
        """Throw away what came after the last mark."""
        self.close()
        if self._marked:
            os.truncate(self._part, self._marked)
        else:
            self.remove()

    def remove(self) -> None:
        """Delete what is kept."""
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Close file and connection; what has arrived stays."""
        self._disconnect()
        self._file.close()

    def _read_note(self) -> dict | None:
        """Read what the part is a part of; None where that is not this URL."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return note if note["url"] == self.name else None

    def _fetch(self, size: int) -> bytes:
        """Get the next bytes, trying again after a fault."""
        position = self._file.tell()
        while position != self._state["size"]:
            try:
                if self._response is None:
                    self._connect(position)
                    continue
                # as they come: what is declared as compressed must not be unpacked
                if data := self._response.raw.read(size, decode_content=False):
                    break
                self._end(position)
            except FAULTS as error:
                self._try_again(_reason(error), position)
        else:
            return b""
        if position + len(data) > self._furthest:
            self._furthest, self._failures = position + len(data), 0
        return data

    def _end(self, position: int) -> None:
        """Tell the end of the archive from a cut."""
        if self._state["size"] is not None or not self._response.raw.chunked:
            raise urllib3.exceptions.ProtocolError
        self._state["size"] = position

    def _try_again(self, reason: str, position: int) -> None:
        """Wait before the next try; give up after too many in a row without progress."""
        self._disconnect()
        if self._failures == len(self._waits):
            raise InputError(
                f"{self.name}: {reason}, tried {self._failures + 1} times: check the network and "
                f"run the same command, it goes on from the {position / 1e6:.1f} MB that are here"
            )
        seconds = self._waits[self._failures]
        self._failures += 1
        log(f"{reason} at {position / 1e6:.1f} MB: trying again in {seconds} s")
        time.sleep(seconds)

    def _connect(self, kept: int) -> None:
        """Ask for what is not here yet and decide by the answer how to go on."""
        response = self._request(kept)
        if kept and self._continues(response, kept):
            self._response = response
        elif kept and response.headers.get("Content-Range") == f"bytes */{kept}":
            response.close()
            self._state["size"] = kept
        elif kept and response.status_code in (206, 416):
            # the part does not belong to what the server has now
            response.close()
            self._start_over()
        else:
            self._accept(response)
            self._start_over()
            self._response = response
            files.write_json(self._note, self._state)
        if kept and not self._file.tell():
            raise Restart

    def _request(self, kept: int) -> requests.Response:
        headers = {"Accept-Encoding": "identity"}
        if kept:
            headers["Range"] = f"bytes={kept}-"
        if kept and self._state["validator"]:
            headers["If-Range"] = self._state["validator"]
        try:
            response = requests.get(self.name, headers=headers, stream=True, timeout=TIMEOUT)
        except FAULTS:
            raise
        except (requests.RequestException, ValueError) as error:
            raise InputError(f"{self.name} cannot be fetched: {error}") from None
        if response.status_code in BUSY:
            response.close()
            raise Busy(f"the server answers {response.status_code} ({response.reason})")
        return response

    def _continues(self, response: requests.Response, kept: int) -> bool:
        span, _, size = response.headers.get("Content-Range", "").partition("/")
        fits = self._state["size"] is None or size == str(self._state["size"])
        return response.status_code == 206 and span.startswith(f"bytes {kept}-") and fits

    def _accept(self, response: requests.Response) -> None:
        """Check an answer that is to start with the first byte, and note what tells it apart."""
        if response.status_code != 200:
            answer = f"{response.status_code} ({response.reason})"
            raise InputError(f"{self.name}: the server answers {answer}: check download.path")
        if "html" in response.headers.get("Content-Type", ""):
            raise InputError(
                f"{self.name}: a web page came in place of the archive: check download.path, and "
                "whether the network asks for a login"
            )
        etag = response.headers.get("ETag", "")
        length = response.headers.get("Content-Length", "")
        self._state = {
            "url": self.name,
            # a weak ETag does not vouch for the bytes
            "validator": etag if etag.startswith('"') else response.headers.get("Last-Modified"),
            "size": int(length) if length.isdecimal() else None,
        }

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._marked = 0

    def _disconnect(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = None


def _reason(error: Exception) -> str:
    match error:
        case Busy():
            return str(error)
        case requests.Timeout() | urllib3.exceptions.TimeoutError():
            return f"no answer within {max(TIMEOUT)} s"
        case requests.exceptions.SSLError():
            return "no secure connection"
        case requests.ConnectionError():
            return "no connection"
        case _:
            return "the connection was cut"


class Limited:
    """A stream that ends in an error rather than give more than is allowed at this point.

    A header of a few bytes can claim a size that would fill the memory.
    """

    def __init__(self, stream: gzip.GzipFile):
        self._stream = stream
        self.left = LARGEST_HEADER

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise Damaged(f"has a header of more than {LARGEST_HEADER} bytes")
        return data


def _read(archive: Local | Remote, md5: dict[str, str]) -> dict[str, bytearray]:
    """Read the four labelled members, whatever their order, and no further."""
    total = sum(math.ceil(size / PIECE) for size in LARGEST.values())
    while True:
        members: dict[str, bytearray] = {}
        pieces = progress(_pieces(archive, md5), "labelled images", total, unit="megabyte")
        try:
            for name, piece in pieces:
                members.setdefault(name, bytearray()).extend(piece)
            return members
        except Restart:
            log("the server sends the archive from its beginning again")
        except EOFError:
            raise Damaged("the archive is cut short") from None
        except (
            gzip.BadGzipFile,
            zlib.error,
            tarfile.TarError,
            ValueError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise Damaged(f"not a whole .tar.gz archive ({error})") from None


def _pieces(archive: Local | Remote, md5: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Give the content of the labelled members piece by piece, each member checked at its end."""
    missing = set(LARGEST)
    stream = Limited(gzip.GzipFile(fileobj=archive, mode="rb"))
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for _ in range(MOST_MEMBERS):
            stream.left = LARGEST_HEADER
            member = tar.next()
            if member is None:
                break
            name = _checked_name(member)
            stream.left = member.size + LARGEST_HEADER
            digest = hashlib.md5(usedforsecurity=False)
            for piece in _content(tar, member):
                if name in missing:
                    digest.update(piece)
                    yield name, piece
            if name not in missing:
                continue
            if digest.hexdigest() != md5[name]:
                raise Damaged(f"{name} has the md5 {digest.hexdigest()}, {md5[name]} is needed")
            archive.mark()
            missing.remove(name)
            if not missing:
                return
    raise Damaged(f"the archive lacks {', '.join(sorted(missing))}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    content = tar.extractfile(member)
    while content and (piece := content.read(PIECE)):
        yield piece


def _checked_name(member: tarfile.TarInfo) -> str | None:
    """Give the name of a labelled member, None for another one.

    Raises
    ------
    Damaged
        The member points outside, is no plain file or folder, or is too large.
    """
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise Damaged(f"the member {member.name!r} points outside the archive")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise Damaged(f"the member {member.name!r} is no plain file (a link or a device)")
    name = path.name if path.parent == FOLDER else None
    largest = LARGEST.get(name, LARGEST_OTHER)
    if not 0 <= member.size <= largest:
        raise Damaged(f"the member {member.name!r} claims {member.size} bytes: {largest} allowed")
    return name if name in LARGEST else None


def _labels(members: dict[str, bytearray], group: str) -> np.ndarray:
    """Give the labels of a group from 0, uint8 (n,), once they fit its images."""
    images, labels = f"{group}_X.bin", f"{group}_y.bin"
    count, rest = divmod(len(members.get(images, b"")), IMAGE)
    values = np.frombuffer(members.get(labels, b""), np.uint8)
    if rest or not count or count != len(values):
        found = f"{images} has {count} images and {rest} bytes, {labels} has {len(values)} labels"
        raise Damaged(f"{found}: as many labels as whole images are needed")
    if values.min() < 1 or values.max() > len(STL10_CLASSES):
        raise Damaged(f"{labels} has labels from {values.min()} to {values.max()}: 1..10 is needed")
    return values - np.uint8(1)


def _images(
    archive: Local | Remote, members: dict[str, bytearray], chosen: dict[str, np.ndarray]
) -> Iterator[tuple[np.ndarray, None]]:
    for group, indices in chosen.items():
        pixels = np.frombuffer(members[f"{group}_X.bin"], np.uint8).reshape(-1, 3, SIZE, SIZE)
        for index in indices:
            # stored channel by channel, column by column
            yield pixels[index].transpose(2, 1, 0), None
    # only now: on a full disk nothing needs to be fetched twice
    archive.remove()
