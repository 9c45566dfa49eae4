"""What stands where the patch lies: a colour, or an image of the same size.

Hiding a part with a colour also draws a square of that colour. Maps that agree whatever the fill
show what the network looks at; where they differ, the patch has had a say.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from stages.occlusion.sensitivity import GRAY, fill_image

BLUR = 8  # standard deviation in pixels: what is as small as a patch is gone
SEED = 0  # of the noise


def filled(
    fill: str | float | Sequence[float], image: np.ndarray, mean: Sequence[float]
) -> np.ndarray:
    """Return what stands where a patch lies on an image.

    Parameters
    ----------
    fill : "mean", "gray", "black", "blur", "noise", or a grey value or colour, 0..255
        "noise" is the same for every image: each pixel has its colour by its place.
    image : uint8 (height, width, 3)
    mean : three floats
        Colour of the training images, 0..255.

    Returns
    -------
    uint8 (height, width, 3)
    """
    height, width = image.shape[:2]
    if fill == "blur":
        return np.array(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR)))
    if fill == "noise":
        return np.random.default_rng(SEED).integers(0, 256, image.shape, np.uint8)
    if isinstance(fill, str):
        fill = {"mean": mean, "gray": GRAY, "black": 0}[fill]
    return fill_image(fill, height, width)
