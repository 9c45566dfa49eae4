"""The official STL-10 archive, read as a stream that ends with the last labelled member."""

import gzip
import hashlib
import math
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from urllib3 import Retry

from stages.common.base.errors import InputError
from stages.common.base.progress import log, progress
from stages.common.study import SIDE, STL10_CLASSES
from stages.download.outs import real
from stages.download.remote import RETRY, Damaged, Remote, Restart
from stages.download.source import Source, evenly_spaced

FOLDER = PurePosixPath("stl10_binary")
IMAGE = 3 * SIDE * SIDE  # bytes
COUNTS = {"test": 8000, "train": 5000}  # images of the official archive
LARGEST = {f"{group}_X.bin": count * IMAGE for group, count in COUNTS.items()} | {
    f"{group}_y.bin": count for group, count in COUNTS.items()
}
LARGEST_OTHER = 100_000 * IMAGE  # unlabeled_X.bin, which is passed over where it comes earlier
LARGEST_HEADER = 2**20  # bytes
MOST_MEMBERS = 100
PIECE = 10**6  # bytes


def open_source(
    path: str | None,
    per_class: int | None,
    md5: dict[str, str] | None = None,
    retry: Retry = RETRY,
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
    retry : Retry
        How often, and after which pauses, a request that failed is tried again.

    Raises
    ------
    InputError
        The archive cannot be reached or is not what it should be. What has arrived from a URL and
        is good is kept: the next call goes on from there.
    """
    path = path or _official().url
    archive = Remote(path, retry) if "://" in path else Local(path)
    try:
        md5 = md5 or dict(_official().test_list + _official().train_list)
        members = _read(archive, md5)
        labels = {group: _labels(members, group) for group in COUNTS}
    except Damaged as error:
        archive.drop()
        raise InputError(f"{archive.name}: {error}; {archive.remedy}") from None
    except BaseException:
        archive.close()
        raise
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
        file = real(path)
        if not file.is_file():
            problem = "is not a file" if file.exists() else "is not there"
            raise InputError(f"{file} {problem}: download.path must be an archive or its URL")
        self.name = str(file)
        self._file = open(file, "rb")  # noqa: SIM115 (until `close`)
        self.read = self._file.read
        # the file is the user's
        self.close = self.drop = self.remove = self._file.close

    def mark(self) -> None:
        """Do nothing: there is nothing to throw away."""


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
    """Return the content of the labelled members piece by piece, each member checked at its end."""
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
    """Return the name of a labelled member, None for another one.

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
    """Return the labels of a group from 0, uint8 (n,), once they fit its images."""
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
        pixels = np.frombuffer(members[f"{group}_X.bin"], np.uint8).reshape(-1, 3, SIDE, SIDE)
        for index in indices:
            # stored channel by channel, column by column
            yield pixels[index].transpose(2, 1, 0), None
    # only now: on a full disk nothing needs to be fetched twice
    archive.remove()
