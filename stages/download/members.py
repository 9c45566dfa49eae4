"""The members of the STL-10 archive, from its stream or from the folder it was unpacked into."""

import gzip
import hashlib
import math
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from stages.common.base.errors import InputError
from stages.common.base.progress import log, progress
from stages.common.study import SIDE
from stages.download.remote import Damaged, Remote, Restart

FOLDER = PurePosixPath("stl10_binary")
IMAGE = 3 * SIDE * SIDE  # bytes
COUNTS = {"test": 8000, "train": 5000}  # images of the official archive
FOLDS = "fold_indices.txt"
LARGEST = (
    {f"{group}_X.bin": count * IMAGE for group, count in COUNTS.items()}
    | {f"{group}_y.bin": count for group, count in COUNTS.items()}
    | {FOLDS: 100_000}
)
LARGEST_OTHER = 100_000 * IMAGE  # unlabeled_X.bin, which is passed over where it comes earlier
LARGEST_HEADER = 2**20  # bytes
MOST_MEMBERS = 100
PIECE = 10**6  # bytes
# what the libraries raise at a damaged archive
FAULTS = (
    gzip.BadGzipFile,
    zlib.error,
    tarfile.TarError,
    ValueError,
    ArithmeticError,
    RecursionError,
)


class Local:
    """An archive on this machine."""

    remedy = "get the archive anew"

    def __init__(self, file: Path):
        if not file.is_file():
            problem = "is not a file" if file.exists() else "is not there"
            raise InputError(
                f"{file} {problem}: download.path must be an archive or its URL, or the folder "
                f"{FOLDER} that it was unpacked into"
            )
        self.name = str(file)
        self._file = open(file, "rb")  # noqa: SIM115 (until `close`)
        self.read = self._file.read
        # the file is the user's
        self.close = self.drop = self.remove = self._file.close

    def mark(self) -> None:
        """Do nothing: there is nothing to throw away."""


class Unpacked:
    """The folder that the archive was unpacked into, or its parent."""

    remedy = "unpack the archive anew"

    def __init__(self, folder: Path):
        self._folder = folder / FOLDER if (folder / FOLDER).is_dir() else folder
        self.name = str(self._folder)

    def members(self, md5: dict[str, str]) -> dict[str, bytes]:
        """Read the labelled members, and the folds if they are there.

        Raises
        ------
        Damaged
            A labelled member is missing or is not what it should be.
        """
        found = {}
        for name, largest in LARGEST.items():
            file = self._folder / name
            if name == FOLDS and not file.exists():
                continue
            if not file.is_file():
                raise Damaged(f"the folder lacks {name}")
            if (size := file.stat().st_size) > largest:
                raise Damaged(f"{name} has {size} bytes: {largest} allowed")
            found[name] = file.read_bytes()
            check(name, hashlib.md5(found[name], usedforsecurity=False).hexdigest(), md5)
        return found

    def close(self) -> None:
        """Do nothing: the folder is the user's."""

    drop = remove = close


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


def streamed(archive: Local | Remote, md5: dict[str, str]) -> dict[str, bytearray]:
    """Read the four labelled members of an archive, whatever their order, and no further.

    The folds are read too, unless the unlabelled images stand between: they are no reason to fetch
    these. Nor is what is wrong behind the labelled members a reason to refuse them.

    Raises
    ------
    Damaged
        A labelled member is missing or is not what it should be.
    """
    total = sum(math.ceil(size / PIECE) for size in LARGEST.values())
    while True:
        members: dict[str, bytearray] = {}
        missing = {*LARGEST}
        pieces = progress(_pieces(archive, md5, missing), "labelled images", total, unit="megabyte")
        try:
            for name, piece in pieces:
                members.setdefault(name, bytearray()).extend(piece)
            return members
        except (Restart, InputError, EOFError, *FAULTS) as error:
            if missing <= {FOLDS}:
                members.pop(FOLDS, None)
                return members
            if isinstance(error, Restart):
                log("the server sends the archive from its beginning again")
                continue
            if isinstance(error, InputError):  # such as Damaged
                raise
            if isinstance(error, EOFError):
                raise Damaged("the archive is cut short") from None
            raise Damaged(f"not a whole .tar.gz archive ({error})") from None


def _pieces(
    archive: Local | Remote, md5: dict[str, str], missing: set[str]
) -> Iterator[tuple[str, bytes]]:
    """Return the content of members piece by piece; each that is whole leaves `missing`."""
    stream = Limited(gzip.GzipFile(fileobj=archive, mode="rb"))
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for _ in range(MOST_MEMBERS):
            stream.left = LARGEST_HEADER
            member = tar.next()
            if member is None or (missing == {FOLDS} and not _is_small_text(member)):
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
            check(name, digest.hexdigest(), md5)
            archive.mark()
            missing.remove(name)
            if not missing:
                return
    if lacking := missing - {FOLDS}:
        raise Damaged(f"the archive lacks {', '.join(sorted(lacking))}")


def check(name: str, digest: str, md5: dict[str, str]) -> None:
    """Raise `Damaged` if a member has a checksum, and its content another one."""
    if digest != md5.get(name, digest):
        raise Damaged(f"{name} has the md5 {digest}, {md5[name]} is needed")


def _is_small_text(member: tarfile.TarInfo) -> bool:
    return member.name.endswith(".txt") and member.size <= LARGEST[FOLDS]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    content = tar.extractfile(member)
    while content and (piece := content.read(PIECE)):
        yield piece


def _checked_name(member: tarfile.TarInfo) -> str | None:
    """Return the name of a member that is wanted, None for another one.

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
