"""STL-10: the official archive, streamed or at hand, or the folder that it was unpacked into."""

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
from urllib3 import Retry

from stages.common.base.errors import InputError
from stages.common.study import SIDE, STL10_CLASSES
from stages.download.members import COUNTS, FOLDS, IMAGE, LARGEST, Local, Unpacked, streamed
from stages.download.outs import real
from stages.download.remote import RETRY, Damaged, Remote
from stages.download.source import Source, evenly_spaced

FOLD_COUNT = 10  # of a fifth of the training images each, drawn independently: they overlap

Members = Mapping[str, bytes | bytearray]


def open_source(
    path: str | None,
    per_class: int | None,
    md5: dict[str, str] | None = None,
    retry: Retry = RETRY,
) -> Source:
    """Open the labelled images in the official layout: test, then train.

    Parameters
    ----------
    path : str or None
        URL or local file of the archive, or the folder `stl10_binary` that it was unpacked into, or
        that folder's parent; None is the official URL.
    per_class : int or None
        At most so many images of a class, over test and train together in their proportion; there
        are no folds then.
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
    origin = _open(path or _official().url, retry)
    try:
        md5 = md5 or dict(_official().test_list + _official().train_list)
        members = origin.members(md5) if isinstance(origin, Unpacked) else streamed(origin, md5)
        labels = {group: _labels(members, group) for group in COUNTS}
        folds = _folds(members, len(labels["test"]), len(labels["train"]))
    except Damaged as error:
        origin.drop()
        raise InputError(f"{origin.name}: {error}; {origin.remedy}") from None
    except BaseException:
        origin.close()
        raise
    picked = evenly_spaced(np.concatenate(list(labels.values())), per_class)
    in_test = picked < len(labels["test"])
    chosen = {"test": picked[in_test], "train": picked[~in_test] - len(labels["test"])}
    return Source(
        list(STL10_CLASSES),
        np.concatenate([labels[group][chosen[group]] for group in COUNTS]),
        _images(origin, members, chosen),
        [(group, len(chosen[group])) for group in COUNTS],
        {name: _checksum(members[name]) for name in LARGEST if name in members},
        folds=folds if per_class is None else None,
    )


def _official():
    """Import torchvision's own data set, which takes seconds: only where it is needed."""
    from torchvision.datasets import STL10

    return STL10


def _open(path: str, retry: Retry) -> Unpacked | Local | Remote:
    if "://" in path:
        return Remote(path, retry)
    place = real(path)
    return Unpacked(place) if place.is_dir() else Local(place)


def _checksum(content: bytes | bytearray) -> str:
    return f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}"


def _labels(members: Members, group: str) -> np.ndarray:
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


def _folds(members: Members, test: int, train: int) -> np.ndarray | None:
    """Return the images of each official fold, int32 (10, train / 5); None where there are none.

    The file counts the `train` training images, the result all images, the `test` ones first.
    """
    if FOLDS not in members:
        return None
    size = train // 5
    rows = [line.split() for line in bytes(members[FOLDS]).splitlines() if line.strip()]
    folds = [[int(word) for word in row if word.isdigit() and len(word) < 9] for row in rows]
    whole = [len(row) == len({*fold}) == size for row, fold in zip(rows, folds, strict=True)]
    if len(rows) != FOLD_COUNT or not all(whole) or max(map(max, folds)) >= train:
        raise Damaged(
            f"{FOLDS} is not {FOLD_COUNT} lines of {size:,} different numbers below {train:,}"
        )
    return np.array(folds, np.int32) + np.int32(test)


def _images(
    origin: Unpacked | Local | Remote, members: Members, chosen: dict[str, np.ndarray]
) -> Iterator[tuple[np.ndarray, None]]:
    for group, indices in chosen.items():
        pixels = np.frombuffer(members[f"{group}_X.bin"], np.uint8).reshape(-1, 3, SIDE, SIDE)
        for index in indices:
            # stored channel by channel, column by column
            yield pixels[index].transpose(2, 1, 0), None
    # only now: on a full disk nothing needs to be fetched twice
    origin.remove()
