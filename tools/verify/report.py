"""What `python -m tools.verify` says in the end."""

from tools.verify import fingerprints, locks, metrics
from tools.verify.committed import DIFFERENT, SAME_BYTES, SAME_METRICS, Run, Verdict


def is_same(first: Run, second: Run, compared: list[Verdict] | None) -> bool:
    """Tell whether nothing of what was compared is different."""
    return first.lock == second.lock and all(row.verdict != DIFFERENT for row in compared or [])


def table(first: Run, second: Run, compared: list[Verdict] | None) -> list[str]:
    """Lay out one line for each out: does the second run repeat it, is it the committed one."""
    changed = locks.changed_outs(first.lock, second.lock)
    verdicts = {(row.stage, row.out): row.verdict for row in compared or []}
    outs = [
        (stage, out)
        for stage in locks.order(second.lock)
        for out in locks.hashes(second.lock, stage, "outs")
    ]
    rows = [("stage", "out", "second run", "committed run")]
    for key in dict.fromkeys([*outs, *verdicts]):
        again = "" if key not in outs else DIFFERENT if key in changed else SAME_BYTES
        rows.append((*key, again, verdicts.get(key, "not compared")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def repetition(first: Run, second: Run) -> list[str]:
    """Say whether the second run gave the lock of the first, or where it departed from it."""
    if first.lock == second.lock:
        count = sum(len(locks.hashes(first.lock, stage, "outs")) for stage in first.lock)
        return [f"two runs: the same dvc.lock, the same bytes in all {count} outs"]
    changed = locks.changed_outs(first.lock, second.lock)
    if not changed:
        return ["two runs: the same outs, but the code or the params changed between them"]
    stage, out = changed[0]
    lines = fingerprints.explain(first.fingerprints.get(stage), second.fingerprints.get(stage))
    if not lines:
        lines = ["the fingerprints are the same, so the stage's code does not repeat itself"]
    return [
        f"two runs: other bytes in {len(changed)} of the outs, first in {out} of {stage}",
        *(f"  {line}" for line in lines),
    ]


def comparison(before: Run, now: Run, compared: list[Verdict]) -> list[str]:
    """Sum up how a run compares with the committed one, and why it is not the same bytes."""
    count = {
        verdict: sum(row.verdict == verdict for row in compared)
        for verdict in (SAME_BYTES, SAME_METRICS, DIFFERENT)
    }
    lines = ["committed run: " + ", ".join(f"{n} {verdict}" for verdict, n in count.items())]
    if count[SAME_METRICS]:
        lines.append(f"  tolerance of metrics: {metrics.STATED}")
    if count[SAME_METRICS] or count[DIFFERENT]:
        stages = locks.order(now.lock)
        lines += [
            f"  {line}"
            for line in fingerprints.explain_all(before.fingerprints, now.fingerprints, stages)
        ]
    return lines + [
        f"  {row.out} of {row.stage} is different: {row.reason}"
        for row in compared
        if row.verdict == DIFFERENT
    ]
