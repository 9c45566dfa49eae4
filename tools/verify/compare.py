"""How two runs of the pipeline compare, by their locks, their metrics and their fingerprints."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.utils.flatten import flatten
from ruamel.yaml import YAML

from stages.common.study import GALLERIES

Lock = dict[str, dict[str, Any]]  # a stage's name and its entry in dvc.lock
Fingerprint = dict[str, Any]

SAME_BYTES, SAME_METRICS, DIFFERENT = "same bytes", "same metrics", "different"

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


@dataclass(frozen=True)
class Run:
    """What a run of the pipeline left.

    `lock` has the stages of `dvc.lock`, `fingerprints` those that stages have kept, and `metrics`
    the contents of the metrics files, by path.
    """

    lock: Lock
    fingerprints: dict[str, Fingerprint]
    metrics: dict[str, dict[str, Any]]

    def hashes(self, stage: str, kind: str) -> dict[str, str]:
        """Return path and hash of each of a stage's "deps" or "outs"; none for an unknown stage."""
        return {item["path"]: item["md5"] for item in self.lock.get(stage, {}).get(kind, [])}

    def parents(self, stage: str) -> list[str]:
        """List the stages whose outs a stage reads."""
        deps = self.hashes(stage, "deps")
        return [
            other
            for other in self.lock
            for out in self.hashes(other, "outs")
            if any(_within(dep, out) or _within(out, dep) for dep in deps)
        ]

    def outs(self) -> Iterator[tuple[str, str, str]]:
        """Yield stage, path and hash of every out, each stage after those that it reads from."""
        parents = {stage: self.parents(stage) for stage in self.lock}
        for stage in TopologicalSorter(parents).static_order():
            for path, md5 in self.hashes(stage, "outs").items():
                yield stage, path, md5


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def read_lock(path: Path) -> Lock:
    """Read the stages of a `dvc.lock`; none where there is no such file."""
    return YAML(typ="safe").load(path)["stages"] if path.exists() else {}


@dataclass(frozen=True)
class Verdict:
    """What is said of an out of a stage, and why it is different, if it is."""

    stage: str
    out: str
    verdict: str
    reason: str = ""


def compare(committed: Run, now: Run) -> list[Verdict]:
    """Judge every out of a run, in pipeline order.

    Bytes may differ only where the fingerprint of the stage is another one, or that of a stage
    upstream that handed on its difference. Then the metrics decide: one that is beyond its
    tolerance makes its file different.
    """
    excused: set[str] = set()  # stages whose bytes may differ
    changed: set[str] = set()
    verdicts = []
    for stage, out, md5 in now.outs():
        if committed.hashes(stage, "outs").get(out) == md5:
            verdicts.append(Verdict(stage, out, SAME_BYTES))
            continue
        changed.add(stage)
        origins = [name for name in now.parents(stage) if name in changed and name != stage]
        prints = (run.fingerprints.get(stage) for run in (committed, now))
        if explain(*prints) or excused & set(origins):
            excused.add(stage)
        reason = _other_inputs(committed, now, stage)
        if not reason and stage in excused:
            reason = _other_metrics(committed, now, out)
        elif not reason:
            reason = (
                f"follows from {', '.join(origins)}" if origins else "other bytes on one machine"
            )
        verdicts.append(Verdict(stage, out, DIFFERENT if reason else SAME_METRICS, reason))
    known = {out for _, out, _ in now.outs()}
    gone = [(stage, out) for stage, out, _ in committed.outs() if out not in known]
    return verdicts + [Verdict(*out, DIFFERENT, "no stage writes it any more") for out in gone]


def _other_inputs(committed: Run, now: Run, stage: str) -> str:
    """Return what the committed run of a stage was given that this one was not."""
    if stage not in committed.lock:
        return "the committed dvc.lock lacks the stage"
    old, new = committed.lock[stage], now.lock[stage]
    other = [key for key in ("cmd", "params") if old.get(key) != new.get(key)]
    before, after = (
        {dep: md5 for dep, md5 in run.hashes(stage, "deps").items() if dep.startswith("stages/")}
        for run in (committed, now)
    )
    other += [dep for dep in before | after if before.get(dep) != after.get(dep)]
    return f"the committed dvc.lock has another {', '.join(other)}" if other else ""


def _other_metrics(committed: Run, now: Run, out: str) -> str:
    if not now.metrics:
        return "no metrics say whether it matters"
    if out not in now.metrics:
        return ""
    return "; ".join(beyond_tolerance(committed.metrics.get(out, {}), now.metrics[out]))


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


def explain(before: Fingerprint | None, after: Fingerprint | None) -> list[str]:
    """List what differs between two fingerprints, a line each; None where none was kept."""
    if before is None or after is None:
        return [] if before is after else ["one of the two runs kept no fingerprint"]
    return [
        _explain(key, before.get(key), after.get(key))
        for key in before | after
        if before.get(key) != after.get(key)
    ]


def _explain(key: str, before: Any, after: Any) -> str:
    if key != "processor_features" or before is None or after is None:
        return f"{key} was {before}, is {after}"
    # dozens of words, of which a few differ
    old, new = before.split(), after.split()
    parts = {
        "without": [word for word in old if word not in new],
        "with": [word for word in new if word not in old],
    }
    return f"{key}: now " + ", ".join(f"{k} {' '.join(v)}" for k, v in parts.items() if v)
