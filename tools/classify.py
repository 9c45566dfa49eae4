"""Tell what is in photographs: `python -m tools.classify models/better photo.jpg ...`."""

import argparse
import os
from collections import Counter
from itertools import islice
from pathlib import Path

from stages.common.base import process
from stages.common.base.errors import InputError, one_line
from stages.common.base.progress import log, progress

PATCHES = [8, 16, 32]  # sides in pixels
STRIDE = 4
MOST_ROWS = 50  # images on one sheet


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.classify", description=__doc__)
    parser.add_argument("model", help="folder of a trained network, such as models/better")
    parser.add_argument("paths", nargs="+", metavar="path", help="image, or folder of images")
    parser.add_argument("--top", type=int, default=3, metavar="N", help="classes to name (3)")
    parser.add_argument(
        "--occlusion",
        metavar="PNG",
        help="draw what each image is recognised by: where hiding a part lowers the score of the "
        "class, for patches of 8, 16 and 32 pixels",
    )
    arguments = parser.parse_args()
    if arguments.top < 1:
        raise InputError(f"--top is {arguments.top}: 1 or more classes can be named")
    check_sheet("--occlusion", sheet := arguments.occlusion)
    files, left = named_files(arguments.paths)
    if sheet and len(files) > MOST_ROWS:
        raise InputError(
            f"--occlusion: {len(files)} images are too many for a sheet: up to {MOST_ROWS} fit"
        )
    if left:
        log(f"left out: {left}")
    classify(arguments.model, files, arguments.top, sheet)


def check_sheet(option: str, path: str | None) -> None:
    """Raise an InputError where a picture that an option names is no PNG, or there already."""
    if path and not path.lower().endswith(".png"):
        raise InputError(f"{option} is {path}: the name of a PNG is needed")
    if path and os.path.lexists(path):
        raise InputError(f"{option}: {path} is there already: name a new file")


def classify(folder: str, files: list[Path], top: int, sheet: str | None) -> None:
    """Say what is in each image, and draw the sheet if one is wanted.

    Raises
    ------
    InputError
        The model, or images, cannot be used; that is said after what the other images are.
    """
    import numpy as np

    from stages.common import image_files, inference

    model = inference.load(folder)
    broken, kept, pixels, scores = [], [], [], []
    read = progress(image_files.read(files, broken), "classify", len(files))
    good = ((file, image) for file, image, _ in read if image is not None)
    while batch := list(islice(good, inference.BATCH_SIZE)):
        kept += [file for file, _ in batch]
        stack = np.stack([image for _, image in batch])
        scores += list(inference.predict(model, stack))
        pixels += list(stack) if sheet else []
    if sheet and kept:
        draw(model, kept, np.stack(pixels), sheet)
    for file, row in zip(kept, scores, strict=True):
        best = np.argsort(-row, kind="stable")[:top]
        log(f"{file}: " + ", ".join(f"{model.classes[i]} {row[i]:.3f}" for i in best))
    if sheet and kept:
        log(f"where the network looks: {sheet}")
    if broken:
        raise image_files.refusal(broken)


def named_files(paths: list[str]) -> tuple[list[Path], str]:
    """List the images that are named, and those of the folders that are named.

    Returns
    -------
    list of Path
    str
        What was left out of the folders, in words.

    Raises
    ------
    InputError
        A path is empty or not there, or a folder holds no image.
    """
    from stages.common import image_files

    files, left = [], Counter()
    for path in paths:
        if not os.path.exists(path):
            where = path or "an empty path"
            raise InputError(f"{where} is not there: an image or a folder of images is needed")
        found, others = image_files.find(Path(path)) if os.path.isdir(path) else ([Path(path)], {})
        if not found:
            only = f", only {image_files.told(others)}" if others else ""
            raise InputError(f"{path} holds no image{only}")
        files += found
        left.update(others)
    return files, image_files.told(left)


def draw(model, files: list[Path], images, path: str) -> None:
    """Write a sheet of occlusion heatmaps, a row an image, for the class that it is taken for.

    Parameters
    ----------
    files : list of n paths
    images : uint8 (n, 96, 96, 3)
    """
    import numpy as np

    # a tool on top of the stages, no stage itself: it may use what one of them is made of
    from stages.common import figures, inference
    from stages.occlusion import draw, sensitivity

    # the colour of the training images where the network knows it, else grey
    fill = sensitivity.GRAY if model.mean is None else np.multiply(model.mean, 255)
    unoccluded, rows = inference.logits(model, images).numpy(), []
    for i in progress(range(len(files)), "occlusion", len(files)):
        clean = sensitivity.clean_image(model, images[i])
        grids = {
            patch: sensitivity.occluded_logits(model, images[i], patch, STRIDE, fill, clean=clean)
            for patch in PATCHES
        }
        label = unoccluded[i].argmax()
        name = one_line(files[i].name)
        rows.append(draw.row(images[i], name, unoccluded[i], grids, [label], model.classes))
    sheet = draw.sheet(rows, model.classes, PATCHES, STRIDE, "Where the network looks")
    figures.save(sheet, path)


if __name__ == "__main__":
    process.run_main(main, then="call it again")
