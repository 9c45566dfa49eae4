"""Scores, photographs and maps as the page holds them: small, and lossy within stated bounds."""

import base64
import io

import numpy as np
from PIL import Image
from scipy.special import logsumexp

QUALITY = 85  # of the JPEGs: their flaws do not show at the sizes of the page
REACH = 60.0  # nats: a logit further below the highest one counts as that far
FINE, COARSE = 65535, 255  # steps: for the scores of an image, for its maps
START_OF_SCAN = b"\xff\xda"


def codes(logits: np.ndarray, steps: int) -> np.ndarray:
    """Say in whole steps how far each logit lies below the highest one of its image.

    A step is fine where the logit is near, and so the score large: what lies `d` nats below is kept
    to within (1 + d) * log1p(REACH) / steps / 2, so that of ten classes no score is wrong by more
    than 0.01 with COARSE, 0.0001 with FINE. Only the predicted class has the code 0.

    Parameters
    ----------
    logits : float (..., classes)
    steps : int
        COARSE or FINE: the code of what lies REACH below.

    Returns
    -------
    int64 (..., classes)
    """
    logits = np.asarray(logits, np.float64)
    below = np.minimum(logits.max(axis=-1, keepdims=True) - logits, REACH)
    code = np.round(np.log1p(below) / np.log1p(REACH) * steps).astype(np.int64)
    predicted = np.arange(logits.shape[-1]) == logits.argmax(axis=-1)[..., None]
    return np.where(predicted, 0, np.maximum(code, 1))


def kept(logits: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Keep some classes, and all others together as a last one, so that no score changes.

    float (..., classes) to float64 (..., shown), or one more where there are others.
    """
    others = np.delete(np.asarray(logits, np.float64), shown, axis=-1)
    if not others.shape[-1]:
        return logits[..., shown]
    return np.concatenate([logits[..., shown], logsumexp(others, axis=-1, keepdims=True)], axis=-1)


def text(content: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(content).decode("ascii")


def photo(image: np.ndarray) -> tuple[bytes, bytes]:
    """Compress an image, uint8 (height, width, 3), to a JPEG in two parts, header and scan.

    The header, with the tables, is the same for all images of one size, so the page holds it once.
    Its length is a multiple of three, so that it can be joined in base64.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=QUALITY, subsampling="4:2:0")
    content = buffer.getvalue()
    scan = content.index(START_OF_SCAN)
    begin = scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big")
    # a marker may be preceded by any number of these
    filling = b"\xff" * (-begin % 3)
    return content[:scan] + filling + content[scan:begin], content[begin:]


def png(values: np.ndarray) -> bytes:
    """Compress numbers, uint8 (rows, columns), as a gray picture.

    Pillow brings its own zlib, so the bytes are the same on every machine.
    """
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def tiles(grids: list[np.ndarray]) -> np.ndarray:
    """Lay the maps of one image below one another, those of a grid class by class.

    `grids` are uint8 (rows, columns, classes), each of a patch and fill.

    Returns
    -------
    uint8 (rows of all, most columns)
        Narrower maps are filled up with 0.
    """
    widest = max(grid.shape[1] for grid in grids)
    planes = [
        np.pad(plane, ((0, 0), (0, widest - plane.shape[1])))
        for grid in grids
        for plane in np.moveaxis(grid, -1, 0)
    ]
    return np.concatenate(planes)
