"""How two runs of the pipeline compare, by their hashes, their metrics and their fingerprints."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from dvc.utils.flatten import flatten

from stages.common.base.fingerprint import PACKAGES
from stages.common.study import GALLERIES

Fingerprint = dict[str, Any]

SAME_BYTES, SAME_METRICS, DIFFERENT = "same bytes", "same metrics", "different"
# what does not change a byte where kernels are portable; what numpy or torch are, does
FREE_OF_BYTES = ("processor", "python")

# Another processor's own kernels or a GPU add up in another order. The last bits that differ grow
# in training, until some images on the edge between two classes are answered otherwise.
# Measured with kernels for AVX2 in place of AVX-512, at most: 0.04 of a share, 0.07 of a loss, 0.12
# of what occlusion measures; tolerated is twice that.
SHARE_TOLERANCE = 0.08  # accuracy, F1, calibration, ends of intervals
LOSS_TOLERANCE = 0.15  # nats
GALLERY_TOLERANCE = 0.25  # shares, drops and agreements over the few images of a gallery
# two epochs may be as good as each other; a class may have fewer than five misclassified images; a
# test of significance may fall to either side of its level, and so may the maps of images; how far
# log-odds fall has no upper end
FREE = ("best_epoch", "images", "blank_maps", "largest_drop_of_log_odds")
FREE += ("largest_drop_of_log_odds_of_blank_maps",)
FREE += ("only_first", "only_second", "rises", "falls", "p", "p_holm", "rank_correlation", "rank_p")
FREE += ("error_distance", "error_distance_by_chance", "error_distance_p")


@dataclass(frozen=True)
class Run:
    """What a run of the pipeline left.

    `outs` has the hash of each out, in the order of the stages; `fingerprints` those that stages
    have kept, by stage; `metrics` the contents of the metrics files, by path.
    """

    outs: dict[str, str]
    fingerprints: dict[str, Fingerprint]
    metrics: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What is said of an out, and why it is different, if metrics tell."""

    out: str
    verdict: str
    reason: str = ""


def doubts(
    run: Run, stages: Iterable[str], locked: Container[str], compute: dict[str, Any]
) -> list[str]:
    """List what shows that results are not of one run, with its versions and params, a line each.

    `stages` are those that have run, `locked` holds packages as `numpy==2.4.6`, and `compute` is
    that group of the params.
    """
    lines = [f"fingerprints/{s}.json is missing" for s in stages if s not in run.fingerprints]
    agreed: dict[str, tuple[Any, str]] = {}
    for stage, found in run.fingerprints.items():
        on_cpu = found.get("device") == "cpu" and found["platform"].endswith("x86_64")
        for key, value in found.items():
            expected, where = value, ""
            if key in PACKAGES and f"{key}=={str(value).partition('+')[0]}" not in locked:
                expected, where = "another", "requirements.lock"
            elif key == "threads" or key == "kernels" and on_cpu and compute[key] == "portable":
                expected, where = compute[key], "params.yaml"
            elif key not in (*FREE_OF_BYTES, "torch"):  # of torch's build only some stages tell
                expected, where = agreed.setdefault(key, (value, f"fingerprints/{stage}.json"))
            if value != expected:
                lines.append(f"fingerprints/{stage}.json: {key} is {value}, {expected} in {where}")
    for measure, of_networks in run.metrics.get("metrics/summary.json", {}).items():
        split, _, name = measure.partition("_")
        for network, value in of_networks.items():
            own = run.metrics.get(f"metrics/{network}.json", {}).get(split, {}).get(name)
            if value != own:
                lines.append(f"metrics/summary.json: {measure} of {network} is {value}, not {own}")
    return lines


def compare(committed: Run, now: Run) -> list[Verdict]:
    """Judge every out of two runs.

    The same bytes are called for where both had portable kernels and the same versions. Elsewhere
    the metrics decide: one that is beyond its tolerance makes its file different.
    """
    exact = same_bytes_expected(committed, now)
    verdicts = []
    for out in committed.outs | now.outs:
        reason = ""
        if committed.outs.get(out) == now.outs.get(out):
            verdict = SAME_BYTES
        elif exact or out not in committed.outs or out not in now.outs:
            verdict = DIFFERENT
        else:
            before, after = (run.metrics.get(out, {}) for run in (committed, now))
            reason = "; ".join(beyond_tolerance(before, after))
            verdict = DIFFERENT if reason else SAME_METRICS
        verdicts.append(Verdict(out, verdict, reason))
    return verdicts


def same_bytes_expected(committed: Run, now: Run) -> bool:
    """Whether nothing that the runs have noted of themselves excuses another byte."""
    prints = [
        {
            stage: {key: value for key, value in found.items() if key not in FREE_OF_BYTES}
            for stage, found in run.fingerprints.items()
        }
        for run in (committed, now)
    ]
    kernels = {found["kernels"] for found in prints[1].values() if "kernels" in found}
    return prints[0] == prints[1] and kernels <= {"portable"}


def beyond_tolerance(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """List which values of two metrics files are further apart than is tolerated, a line each.

    A value that only one of them has is one too many.
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


def explain(committed: Run, now: Run) -> list[str]:
    """List what differs between the fingerprints of two runs, each difference once."""
    lines: dict[str, None] = {}
    for stage, after in now.fingerprints.items():
        before = committed.fingerprints.get(stage, {})
        for key in before | after:
            if before.get(key) != after.get(key):
                lines[f"{key} was {before.get(key)}, is {after.get(key)}"] = None
    return list(lines)
