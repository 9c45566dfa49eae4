"""How far metrics of another kind of machine may lie from the committed ones."""

from typing import Any

from dvc.utils.flatten import flatten

from stages.common.study import GALLERIES

# Another processor or a GPU adds up in another order. The last bits that differ grow in training,
# until some images on the edge between two classes are answered otherwise.
# Measured with kernels for AVX2 in place of AVX-512, at most: 0.04 of a share, 0.07 of a loss, 0.12
# of what occlusion measures; tolerated is twice that.
SHARE_TOLERANCE = 0.08  # accuracy, F1, calibration, ends of intervals
LOSS_TOLERANCE = 0.15  # nats
GALLERY_TOLERANCE = 0.25  # shares, drops and agreements over the few images of a gallery
# two epochs may be as good as each other; a class may have fewer than five misclassified images; a
# test of significance may fall to either side of its level
FREE = ("best_epoch", "images")
FREE += ("only_first", "only_second", "p", "p_holm", "rank_correlation", "rank_p")
FREE += ("error_distance", "error_distance_by_chance", "error_distance_p")

STATED = (
    f"{SHARE_TOLERANCE} for shares, {LOSS_TOLERANCE} for losses, {GALLERY_TOLERANCE} for what "
    "occlusion measures, counts equal, best epoch, images in a gallery and tests free"
)


def beyond_tolerance(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say in a line each which values of two metrics files are further apart than is tolerated.

    Parameters
    ----------
    before, after : dict
        Nested, as `metrics/<network>.json` holds them; a value that only one has is one too many.
    """
    old, new = flatten(before), flatten(after)
    return [
        f"{key} was {old.get(key)}, is {new.get(key)}"
        for key in old | new
        if not _tolerated(key, old.get(key), new.get(key))
    ]


def _tolerated(key: str, old: Any, new: Any) -> bool:
    group, name = key.split(".")[0], key.split(".")[-1]
    if old == new or name in FREE:
        return True
    if not all(isinstance(value, (int, float)) for value in (old, new)):
        return False
    tolerance = LOSS_TOLERANCE if name == "loss" else SHARE_TOLERANCE
    if group in GALLERIES:
        tolerance = GALLERY_TOLERANCE
    # counts, such as that of the parameters, differ by 1 at least, which is beyond each of them;
    # metrics are rounded to four digits: what is at the edge in them is not to fail by a last bit
    return abs(new - old) <= tolerance + 1e-9
