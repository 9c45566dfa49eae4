"""An archive behind a URL, as a stream that outlives a bad network and the process."""

import json
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath

import requests
from filelock import FileLock
from filelock import Timeout as Locked
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError

from stages.common.base import files
from stages.common.base.errors import InputError
from stages.common.base.progress import log

WORK = Path("data/.download")  # what has arrived stays here until the images are written
LARGEST_ARCHIVE = 4 * 10**9  # bytes
READ_AHEAD = 2**18  # bytes, no less than what the decompressor asks for in advance
TIMEOUT = (10, 30)  # seconds until there must be a connection, and between two pieces of data
WINDOW = 60  # seconds over which the speed is measured
LEAST = 60_000  # bytes that must come in that time; fewer are no better than none
# of connections, of answers that may be another at the next try, and of bodies that are cut
RETRY = Retry(
    total=4,
    backoff_factor=1,
    status_forcelist=(408, 429, 500, 502, 503, 504),
    raise_on_status=False,
)
FAULTS = (requests.ConnectionError, requests.Timeout, HTTPError)


class Damaged(InputError):
    """The archive is not what it should be: what was read since the last good member is no use."""


class Slow(requests.Timeout):
    """The server sends so little that the download would never end."""


class Restart(Exception):
    """The server sends the file from its beginning again: what was read of it is void."""


class Remote:
    """An archive behind a URL, read like a file.

    All that arrives is appended to a file in the work folder. A request asks only for what is not
    in there yet, so an interrupted download goes on where it stopped, as long as the file's ETag or
    date of change says that it is the same. Else `read` raises `Restart`. One process at a time has
    the file to itself, until it calls `close`, `drop` or `remove`, or ends.

    Parameters
    ----------
    retry : Retry
        How often, and after which pauses, what has failed is tried again.

    Raises
    ------
    InputError
        Another process downloads the same file; in `read`: the archive cannot be reached.
    """

    remedy = "the same command fetches that part anew"

    def __init__(self, url: str, retry: Retry = RETRY):
        self.name = url
        self._retry = self._left = retry
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        self._furthest = self._marked = 0
        self._since, self._start = time.monotonic(), 0  # of the window in which speed is measured
        self._response: requests.Response | None = None
        name = PurePosixPath(url.partition("?")[0]).name
        WORK.mkdir(parents=True, exist_ok=True)
        self._part = WORK / f"{name}.part"
        self._note = WORK / f"{name}.json"
        self._lock = _locked(WORK / f"{name}.lock", name)
        self._state = self._read_note()
        mode = "r+b" if self._state and self._part.exists() else "w+b"
        self._file = open(self._part, mode)  # noqa: SIM115 (until `close`)
        self._state = self._state or {"url": url, "validator": None, "size": None}
        if kept := self._part.stat().st_size:
            log(f"{kept / 1e6:.1f} MB of {name} are here from an earlier run: going on from there")

    def read(self, size: int) -> bytes:
        """Read on, `size` bytes but at the end of the archive: what is kept, then from the net."""
        pieces = []
        while size and (piece := self._file.read(size) or self._fetch(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def mark(self) -> None:
        """Remember that all that was needed so far is good."""
        self._file.flush()
        # bytes read in advance belong to what comes next
        self._marked = max(0, self._file.tell() - READ_AHEAD)

    def drop(self) -> None:
        """Throw away what came after the last mark, and close."""
        if self._marked:
            self._file.truncate(self._marked)
            self.close()
        else:
            self.remove()

    def remove(self) -> None:
        """Delete what is kept, and close."""
        self._file.close()
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        # Windows deletes no file that is open; there, the lock does it when it is released
        with suppress(PermissionError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close file and connection; what has arrived stays, for whoever opens it next."""
        self._disconnect()
        self._file.close()
        self._lock.release()

    def _read_note(self) -> dict | None:
        """Read what the part is a part of; None where that is not this URL."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return note if note["url"] == self.name else None

    def _fetch(self, size: int) -> bytes:
        """Get the next bytes and keep them, trying again after a fault."""
        position = self._file.tell()
        while position != self._state["size"]:
            try:
                if self._response is None:
                    self._connect(position)
                elif data := self._receive(size, position):
                    self._file.write(data)
                    if self._file.tell() > LARGEST_ARCHIVE:
                        raise Damaged(f"is larger than {LARGEST_ARCHIVE} bytes")
                    return data
                else:
                    self._end(position)
            except FAULTS as error:
                self._try_again(error, position)
        return b""

    def _receive(self, size: int, position: int) -> bytes:
        """Take what comes next, as soon as it comes; empty where the answer ends."""
        now = time.monotonic()
        if now - self._since >= WINDOW:
            if position - self._start < LEAST:
                raise Slow
            self._since, self._start = now, position
        # as it is: what is declared as compressed must not be unpacked
        return self._response.raw.read1(size, decode_content=False)

    def _end(self, position: int) -> None:
        """Tell the end of the archive from a cut."""
        if self._state["size"] is not None or not self._response.raw.chunked:
            raise ProtocolError
        self._state["size"] = position

    def _try_again(self, error: Exception, position: int) -> None:
        """Wait before going on after a cut; give up after too many in a row that brought little."""
        self._disconnect()
        if (position - self._furthest) * WINDOW > (time.monotonic() - self._since) * LEAST:
            self._left = self._retry
        self._furthest = max(self._furthest, position)
        try:
            self._left = self._left.increment("GET", self.name, error=ProtocolError(str(error)))
        except MaxRetryError:
            raise self._unreachable(_reason(error), position) from None
        log(f"{_reason(error)} at {position / 1e6:.1f} MB: trying again")
        self._left.sleep()

    def _unreachable(self, reason: str, position: int) -> InputError:
        tries = (self._retry.total or 0) + 1
        return InputError(
            f"{self.name}: {reason}, tried {tries} times: check the network and run the same "
            f"command, it goes on from the {position / 1e6:.1f} MB that are here"
        )

    def _connect(self, kept: int) -> None:
        """Ask for what is not here yet and decide by the answer how to go on."""
        self._since, self._start = time.monotonic(), kept
        validator = self._state["validator"]
        response = self._request(kept, validator)
        if kept and self._continues(response, kept, validator):
            self._response = response
            return
        if response.status_code in (206, 416):
            if response.status_code == 206 and not response.raw.read1(1):
                # it was cut before the line that would have said what it is
                raise ProtocolError
            # the part does not belong to what the server has now
            response.close()
            self._start_over()
        else:
            self._accept(response)
            self._start_over()
            self._response = response
            files.write_json(self._note, self._state)
        if kept:
            raise Restart

    def _request(self, kept: int, validator: str | None) -> requests.Response:
        headers = {"Accept-Encoding": "identity"}
        if kept and validator:
            headers |= {"Range": f"bytes={kept}-", "If-Range": validator}
        try:
            return self._session.get(self.name, headers=headers, stream=True, timeout=TIMEOUT)
        except FAULTS as error:
            raise self._unreachable(_reason(error), kept) from None
        except (requests.RequestException, ValueError) as error:
            raise InputError(f"{self.name} cannot be fetched: {error}") from None

    def _continues(self, response: requests.Response, kept: int, validator: str | None) -> bool:
        """Whether an answer goes on where the part of the file ends, or says that it is all."""
        span, _, size = response.headers.get("Content-Range", "").partition("/")
        whole = response.status_code == 416 and (span, size) == ("bytes *", str(kept))
        rest = response.status_code == 206 and span.startswith(f"bytes {kept}-")
        if not (whole or rest) or not validator or validator != _validator(response):
            return False
        if size.isdecimal():
            self._state["size"] = int(size)
        return True

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
        length = response.headers.get("Content-Length", "")
        self._state = {
            "url": self.name,
            "validator": _validator(response),
            "size": int(length) if length.isdecimal() else None,
        }

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._marked = self._start = 0

    def _disconnect(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = None


def _locked(path: Path, name: str) -> FileLock:
    """Lock a part for this process; the system lets go of it when the process ends."""
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Locked:
        raise InputError(
            f"another run downloads {name} in this folder (it holds {path}): wait for it to end"
        ) from None
    return lock


def _validator(response: requests.Response) -> str | None:
    """Return what changes with the file; a weak ETag does not vouch for the bytes."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _reason(error: Exception) -> str:
    # requests wraps what urllib3 gave up at
    cause = getattr(error.args[0], "reason", None) if error.args else None
    match cause if isinstance(cause, ReadTimeoutError) else error:
        case Slow():
            return f"less than {LEAST / 1e3:g} kB in {WINDOW} s"
        case requests.Timeout() | ReadTimeoutError():
            return f"no answer within {max(TIMEOUT)} s"
        case requests.exceptions.SSLError():
            return "no secure connection"
        case requests.ConnectionError():
            return "no connection"
        case _:
            return "the connection was cut"
