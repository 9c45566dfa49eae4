"""Make the folder of photographs: `python -m experiments.photos tiny-imagenet-200.zip photos`.

Tiny-ImageNet-200 is the public subset of ImageNet by Stanford's course CS231n: 200 classes,
64x64 pixels. `photos.txt` lists the 13,000 of its images that make ten classes of STL-10's kind,
1,300 each, by what they are called here; their bytes are those of the archive.
"""

import argparse
import hashlib
import lzma
import zipfile
import zlib
from pathlib import Path

from stages.common.base import files, process
from stages.common.base.errors import InputError, reason
from stages.common.base.progress import log, progress

NAMES = Path(__file__).with_name("photos.txt")
# of the bytes of all images, in the order of the list
SHA256 = "f12516638ecea8a1e965dca500450840ca6f9189303b032848c74629e5d9e444"
LARGEST = 2**16  # bytes of an image; none of them has a quarter of it
# a member that is missing, damaged, encrypted, named or packed in a way of its own
DAMAGED = (zipfile.BadZipFile, KeyError, RuntimeError, EOFError, ValueError)
DAMAGED += (zlib.error, lzma.LZMAError)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.photos", description=__doc__)
    parser.add_argument("archive", type=Path, help="tiny-imagenet-200.zip")
    parser.add_argument("folder", type=Path, help="is made; must not be there yet")
    arguments = parser.parse_args()
    extract(arguments.archive, arguments.folder)


def extract(archive: Path, folder: Path) -> None:
    """Write the listed images of the archive into one subfolder a class.

    Raises
    ------
    InputError
        The archive is none, lacks an image or has another in its place, or the folder is there.
    """
    if folder.exists():
        raise InputError(f"{folder} is there already: name a new folder")
    names = listed()
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(archive) as file, files.new_folder(folder) as new:
            for name in progress(names, str(folder), len(names)):
                content = read(file, member(name))
                digest.update(content)
                files.write_bytes(new / name, content)
            if digest.hexdigest() != SHA256:
                raise InputError(f"{archive} is not Tiny-ImageNet-200: its images are others")
    except FileNotFoundError:
        raise InputError(f"{archive} is not there") from None
    except DAMAGED as error:
        raise InputError(f"{archive} is not Tiny-ImageNet-200: {reason(error)}") from None
    log(f"{folder}: {len(names):,} images")


def listed() -> list[str]:
    """Name the images of the folder, such as "bird/n01855672_123.jpg"."""
    return NAMES.read_text(encoding="utf-8").split()


def check(folder: Path) -> None:
    """Refuse a folder that has not the listed images, or has others besides.

    Raises
    ------
    InputError
        Names the first image that is too few or too many.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of images")
    names, found = (
        set(listed()),
        {path.relative_to(folder).as_posix() for path in folder.glob("*/*")},
    )
    for wrong, word in ((names - found, "lacks"), (found - names, "has another image,")):
        if wrong:
            raise InputError(
                f"{folder} {word} {min(wrong)}: `python -m experiments.photos` makes the folder"
            )


def member(name: str) -> str:
    """Give what the archive calls an image.

    >>> member("bird/n01855672_123.jpg")
    'tiny-imagenet-200/train/n01855672/images/n01855672_123.JPEG'
    >>> member("bird/n01855672_v77.jpg")
    'tiny-imagenet-200/val/images/val_77.JPEG'
    """
    stem = Path(name).stem
    group, number = stem.split("_")
    if number.startswith("v"):
        return f"tiny-imagenet-200/val/images/val_{number[1:]}.JPEG"
    return f"tiny-imagenet-200/train/{group}/images/{stem}.JPEG"


def read(file: zipfile.ZipFile, name: str) -> bytes:
    entry = file.getinfo(name)
    if entry.file_size > LARGEST:
        raise zipfile.BadZipFile(f"{name} claims {entry.file_size} bytes")
    return file.read(entry)


if __name__ == "__main__":
    process.run_main(main, then="the same command starts again")
