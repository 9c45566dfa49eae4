"""What heatmaps say of an image, for the stages that measure them and that show them."""

from collections.abc import Sequence

import numpy as np
from scipy import special


def middle(patches: Sequence[int]) -> int:
    """Return the size of the patch that stands for all where one must do."""
    return sorted(patches)[len(patches) // 2]


def centers(count: int, patch: int, stride: int) -> np.ndarray:
    """Return the centres of a patch at its `count` positions along one side, in pixels."""
    return np.arange(count) * stride + (patch - 1) / 2


def pick(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Pick one class each: (..., classes) and (...) to (...)."""
    return np.take_along_axis(values, targets[..., None], axis=-1)[..., 0]


def log_odds(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the log-odds of one class each, in nats: (..., classes) and (...) to float64 (...).

    The logarithm of how much more probable the class is than all others together: the logit of the
    softmax score, but exact also where that score is 1 to the last digit.
    """
    others = logits.astype(np.float64)
    own = pick(others, targets)
    np.put_along_axis(others, targets[..., None], -np.inf, axis=-1)
    return own - special.logsumexp(others, axis=-1)


def points_at_object(
    maps: np.ndarray, masks: np.ndarray, patch: int, stride: int
) -> tuple[np.ndarray, np.ndarray]:
    """Play the pointing game: does the centre of the worst patch lie on the object?

    After Zhang et al. 2016, "Top-down Neural Attention by Excitation Backprop", section 4.2. Equal
    scores are settled by the first position. What chance would give depends on the patch: the
    larger it is, the further its centres keep from the margin, where objects are rare.

    Parameters
    ----------
    maps : float (n, rows, columns)
        The target's score or log-odds at each position.
    masks : bool (n, height, width)
        Where the object is.

    Returns
    -------
    hits : bool (n,)
    chance : float (n,)
        Share of all positions whose centre lies on the object.
    """
    y, x = (centers(count, patch, stride).astype(int) for count in maps.shape[1:])
    on_object = masks[:, y[:, None], x].reshape(len(maps), len(y) * len(x))
    worst = maps.reshape(on_object.shape).argmin(axis=1)
    return on_object[np.arange(len(maps)), worst], on_object.mean(axis=1)
