"""How a run compares with the committed one: same bytes, same metrics, or different."""

from dataclasses import dataclass
from typing import Any

from tools.verify import locks, metrics
from tools.verify.fingerprints import Fingerprint, explain
from tools.verify.locks import Lock

SAME_BYTES, SAME_METRICS, DIFFERENT = "same bytes", "same metrics", "different"
SHOWN = 3  # metrics that are named for one out


@dataclass(frozen=True)
class Run:
    """What a run of the pipeline left.

    Attributes
    ----------
    lock : dict
        Of stages, as in `dvc.lock`.
    fingerprints : dict
        Of stages; one that kept none is absent.
    metrics : dict
        Contents of the metrics files, by path.
    """

    lock: Lock
    fingerprints: dict[str, Fingerprint]
    metrics: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What is said of an out of a stage, and why it is different, if it is."""

    stage: str
    out: str
    verdict: str
    reason: str = ""


def compare(committed: Run, now: Run) -> list[Verdict]:
    """Judge every out of a run, in pipeline order.

    Bytes may differ only where the fingerprint of the stage, or of one upstream that handed on its
    difference, is another one. The metrics of the stage and of all downstream then decide.
    """
    changed = locks.changed_outs(committed.lock, now.lock)
    stages = {stage for stage, _ in changed}
    parents = locks.upstream(now.lock)
    excused: set[str] = set()  # stages whose bytes may differ
    verdicts = []
    for stage in locks.order(now.lock):
        reason = ""
        if stage in stages:
            origins = [name for name in parents[stage] if name in stages]
            prints = (run.fingerprints.get(stage) for run in (committed, now))
            if explain(*prints) or excused & set(origins):
                excused.add(stage)
            reason = _other_inputs(committed, now, stage)
            if not reason and stage in excused:
                reason = _other_metrics(committed, now, stage)
            elif not reason and origins:
                reason = f"follows from {', '.join(origins)}"
            elif not reason:
                reason = "other bytes on the same kind of machine"
        for out in locks.hashes(now.lock, stage, "outs"):
            if (stage, out) not in changed:
                verdicts.append(Verdict(stage, out, SAME_BYTES))
            else:
                verdict = DIFFERENT if reason else SAME_METRICS
                verdicts.append(Verdict(stage, out, verdict, reason))
    gone = locks.changed_outs(now.lock, committed.lock)
    return verdicts + [
        Verdict(stage, out, DIFFERENT, "no stage writes it any more")
        for stage, out in gone
        if not locks.producer(now.lock, out)
    ]


def _other_inputs(committed: Run, now: Run, stage: str) -> str:
    """Say what the committed run of a stage was given that this one was not."""
    if stage not in committed.lock:
        return "the committed dvc.lock lacks the stage"
    inputs = locks.changed_inputs(committed.lock, now.lock, stage)
    return f"the committed dvc.lock has another {', '.join(inputs)}" if inputs else ""


def _other_metrics(committed: Run, now: Run, stage: str) -> str:
    """Say which metrics that a stage has a part in are further apart than is tolerated."""
    paths = _metrics_after(now, stage)
    if not paths:
        return "no metrics say whether it matters"
    lines = [
        f"{path}: {line}"
        for path in paths
        for line in metrics.beyond_tolerance(
            committed.metrics.get(path, {}), now.metrics.get(path, {})
        )
    ]
    return "; ".join(lines[:SHOWN]) + (f"; and {len(lines) - SHOWN} more" * (len(lines) > SHOWN))


def _metrics_after(run: Run, stage: str) -> list[str]:
    """List the metrics of a stage and of all downstream; where there are none, those upstream."""
    for neighbours in (locks.downstream(run.lock), locks.upstream(run.lock)):
        paths = [
            path
            for name in locks.order(run.lock)
            if name in locks.reach(neighbours, stage)
            for path in locks.hashes(run.lock, name, "outs")
            if path in run.metrics
        ]
        if paths:
            return paths
    return []
