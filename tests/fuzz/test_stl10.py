"""The official archive: the stream around it, the header of each member, and what members hold."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from stages.common.base.errors import InputError
from stages.download import stl10
from tests.download.conftest import md5, members, tar_gz
from tests.fuzz.conftest import fuzz, mutated, numbers

CONTENT = members(2, 1)
ARCHIVE = tar_gz(CONTENT)
BARE = gzip.decompress(ARCHIVE)
# offset and width of what a tar header says as text
LAYOUT = [(0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100)]
LAYOUT += [(257, 6), (263, 2), (265, 32), (297, 32), (329, 8), (337, 8), (345, 155)]


def read(content: bytes, digests: dict[str, str]):
    Path("archive.tar.gz").write_bytes(content)
    source = stl10.open_source("archive.tar.gz", None, digests, ())
    return source, np.stack([image for image, _ in source.images])


def stored(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8).reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)


def assert_right(source, images, content: dict[str, bytes]) -> None:
    expected = [stored(content[f"{group}_X.bin"]) for group in ("test", "train")]
    assert images.dtype == np.uint8 and np.array_equal(images, np.concatenate(expected))
    labels = content["test_y.bin"] + content["train_y.bin"]
    assert source.labels.dtype == np.uint8
    assert source.labels.tolist() == [label - 1 for label in labels]
    counts = [len(part) for part in expected]
    assert source.groups == list(zip(("test", "train"), counts, strict=True))


def judge(content: bytes) -> None:
    """Check that the images are the original ones: the checksums let no others through."""
    assert_right(*read(content, md5(CONTENT)), CONTENT)


def test_a_damaged_stream(folder):
    judge(ARCHIVE)
    end = len(ARCHIVE)
    fields = numbers(0, 10, "little") + numbers(end - 8, end, "little")
    fuzz(judge, mutated(ARCHIVE, fields), examples=100)


def test_a_damaged_archive_in_a_sound_stream(folder):
    packed = (st.just(BARE) | mutated(BARE)).map(lambda bare: gzip.compress(bare, 0))
    fuzz(judge, packed, examples=100)


def header_offsets() -> list[int]:
    with tarfile.open(fileobj=io.BytesIO(BARE)) as archive:
        return [member.offset for member in archive]


OFFSETS = header_offsets()
OCTAL = st.integers(0, 2**33 - 1).map(lambda number: b"%011o\0" % number)
TEXTS = st.sampled_from(
    [b"", b"/etc/evil", b"../evil", b"stl10_binary/test_X.bin", b"stl10_binary/train_y.bin"]
    + [b"stl10_binary/../../evil", b"-1", b"\x80" + bytes(10) + b"\1", b"\xff" * 12, b" 1 2"]
    + [bytes([kind]) for kind in b"012345678LKSxgXVM\0"]
)


@st.composite
def tars(draw) -> bytes:
    """Change what one or two headers say, and make their checksums fit."""
    data = bytearray(BARE)
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.sampled_from(OFFSETS))
        at, width = draw(st.sampled_from(LAYOUT))
        value = draw(TEXTS | OCTAL | st.binary(max_size=12))
        data[start + at : start + at + width] = value[:width].ljust(width, b"\0")
        total = sum(data[start : start + 512]) - sum(data[start + 148 : start + 156]) + 8 * 32
        data[start + 148 : start + 156] = b"%06o\0 " % total
    return gzip.compress(data, 0)


def test_headers_that_say_something_else(folder):
    fuzz(judge, tars(), examples=100)


def test_members_are_read_if_and_only_if_they_fit_together(folder):
    group = st.tuples(
        st.integers(0, 3),
        st.sampled_from([0, 0, 0, -1, 1]),
        st.lists(st.integers(1, 10) | st.sampled_from([1, 5, 10, 0, 11, 255]), max_size=3),
    )

    @st.composite
    def contents(draw):
        content = {}
        for name in ("test", "train"):
            count, more, labels = draw(group)
            if draw(st.booleans()):
                labels, more = (labels * 3 or [1] * 3)[:count], 0
            content[f"{name}_X.bin"] = bytes(max(0, count * 27648 + more))
            content[f"{name}_y.bin"] = bytes(labels)
        for name in draw(st.sampled_from([[]] * 4 + [[name] for name in content])):
            del content[name]
        order = draw(st.permutations(sorted(content)))
        return {name: content[name] for name in order}

    def good(content):
        pairs = [(content.get(f"{g}_X.bin"), content.get(f"{g}_y.bin")) for g in ("test", "train")]
        return all(
            images
            and labels
            and len(images) == 27648 * len(labels)
            and set(labels) < set(range(1, 11))
            for images, labels in pairs
        )

    def judge_members(content):
        try:
            read_back = read(tar_gz(content), md5(content))
        except InputError:
            assert not good(content)
            raise
        assert good(content)
        assert_right(*read_back, content)

    fuzz(judge_members, contents(), examples=100)


def test_extended_headers_of_any_kind(folder):
    keys = st.sampled_from(
        ["size", "path", "linkpath", "mtime", "uid", "GNU.sparse.major", "GNU.sparse.minor"]
        + [
            "GNU.sparse.map",
            "GNU.sparse.size",
            "GNU.sparse.realsize",
            "GNU.sparse.name",
            "hdrcharset",
        ]
    )
    values = st.sampled_from(["0", "-1", "27648", str(2**63), "1e9", "../x", "", "1,2,3", "BINARY"])

    @st.composite
    def archives(draw):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in CONTENT.items():
                info = tarfile.TarInfo(f"stl10_binary/{name}")
                info.size = len(data)
                if draw(st.integers(0, 4)) == 0:
                    info.pax_headers = draw(st.dictionaries(keys, values | st.text(max_size=9)))
                archive.addfile(info, io.BytesIO(data))
        return gzip.compress(buffer.getvalue(), 0)

    fuzz(judge, archives(), examples=100)
