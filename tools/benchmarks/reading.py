"""Reading a folder of images: our reader against torchvision's, with as many processes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from stages.common import image_files
from stages.common.base.processes import cores
from stages.common.study import SIDE
from stages.download import folder
from tools.benchmarks.measure import agree, race
from tools.benchmarks.table import Row

CAMERA, CAMERAS = (4000, 3000), 500  # pixels, and how many photographs of that size
BATCH_SIZE = 64
# of the values 0 to 255 of an image in the mean: torchvision decodes no JPEG at a part of its size
TOLERANCE = 1.0


def rows(pairs: int, photos: Path) -> Iterator[Row]:
    """Compare on a folder of photographs as they are, and on some enlarged to those of a camera."""
    yield compare("as they are", photos, pairs)
    with tempfile.TemporaryDirectory() as large:
        enlarge(photos, Path(large))
        yield compare("of 12 megapixels", Path(large), pairs)


def compare(case: str, photos: Path, pairs: int) -> Row:
    """Compare the two on one folder, first what they read."""
    ours, other = ours_of(photos), torchvision_of(photos)
    apart = [np.abs(a.astype(np.int16) - b).mean() for a, b in zip(ours, other, strict=True)]
    same = agree(apart, np.zeros(len(ours)), "images, in the mean of 0 to 255,", TOLERANCE)
    times = race(lambda: ours_of(photos), lambda: torchvision_of(photos), pairs)
    case = f"{len(ours):,} photographs {case}"
    return Row(case, f"{cores()} processes", "ImageFolder, DataLoader", times, same)


def ours_of(photos: Path) -> np.ndarray:
    """Read as the stage `download` does: uint8 (n, 96, 96, 3)."""
    source = folder.open_source(str(photos.resolve()), None)
    images = empty(len(source.labels))
    for place, (image, _) in enumerate(source.images):
        images[place] = image
    return images


def torchvision_of(photos: Path) -> np.ndarray:
    """Read as a student does, with a process for each core: uint8 (n, 96, 96, 3)."""
    steps = [transforms.Lambda(square), transforms.PILToTensor()]
    source = ImageFolder(photos, transforms.Compose(steps))
    images = empty(len(source))
    for number, (batch, _) in enumerate(DataLoader(source, BATCH_SIZE, num_workers=cores())):
        start = number * BATCH_SIZE
        images[start : start + BATCH_SIZE] = batch.permute(0, 2, 3, 1)
    return images


def empty(count: int) -> np.ndarray:
    """Make room for images, where both write what they read."""
    return np.empty((count, SIDE, SIDE, 3), np.uint8)


def square(image: Image.Image) -> Image.Image:
    """Cut out the square in the centre, and resize it with the filter that ours has."""
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    image = image.crop((left, top, left + side, top + side))
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def enlarge(photos: Path, to: Path) -> None:
    """Write photographs of a camera's size, evenly spaced among those of each class."""
    classes = sorted(path for path in photos.iterdir() if path.is_dir())
    for folder_of_class in classes:
        (to / folder_of_class.name).mkdir()
        every, _ = image_files.find(folder_of_class)
        count = CAMERAS // len(classes)
        for i in range(count):
            file = every[i * len(every) // count]
            large = Image.open(file).convert("RGB").resize(CAMERA, Image.Resampling.BICUBIC)
            large.save(to / folder_of_class.name / f"{file.stem}.jpg", quality=92)
