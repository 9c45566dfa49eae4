"""Prove that the pipeline gives the same bytes again: `python -m tools.verify`.

It runs twice from scratch in a temporary clone of the last commit, and what came out is compared
with the committed run. The exit code is 0 if all is the same, 1 if not.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from stages.common.base import process
from stages.common.base.progress import log
from tools.verify import compare
from tools.verify.clone import Clone, git, temporary_clone
from tools.verify.compare import Run, Verdict

RUNS = ((), ("--force", "--no-run-cache"))
TOLERANCE = (
    f"{compare.SHARE_TOLERANCE} for shares, {compare.LOSS_TOLERANCE} for losses, "
    f"{compare.GALLERY_TOLERANCE} for what occlusion measures, counts equal, best epoch, images in "
    "a gallery and tests free"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=__doc__)
    parser.add_argument(
        "--set",
        metavar="PARAM=VALUE",
        action="append",
        default=[],
        help="change a param for both runs, as `dvc exp run -S` does; may be repeated",
    )
    same = verify(Path.cwd(), parser.parse_args().set)
    sys.exit(0 if same else 1)


def verify(project: Path, overrides: list[str]) -> bool:
    """Run the pipeline of a project's last commit twice; report, and return if all is the same."""
    if changes := git("status", "--porcelain", cwd=project).splitlines():
        log(f"verify: what is not committed is not verified: {len(changes)} changes")
    with temporary_clone(project) as clone:
        head = git("log", "-1", "--format=%h %s", cwd=clone.project).strip()
        log(f"verify: commit {head}")
        committed = clone.read()
        clone.set_params(overrides)
        clone.link_source(project)
        clone.remove_results()
        first, second = (run(clone, i) for i in range(len(RUNS)))
    verdicts = compare.compare(committed, second) if committed.lock and not overrides else None
    lines = [*table(first, second, verdicts), "", *repetition(first, second)]
    if overrides:
        lines.append("committed run: not compared, as --set changed its params")
    elif verdicts is None:
        lines.append("committed run: there is none, dvc.lock is not in the commit")
    else:
        lines += comparison(committed, second, verdicts)
    same = first.lock == second.lock and all(v.verdict != compare.DIFFERENT for v in verdicts or [])
    log("\n".join(["", *lines, "verified" if same else "NOT verified"]))
    return same


def run(clone: Clone, index: int) -> Run:
    """Run the pipeline in the clone and print how long it took."""
    log(f"\nverify: run {index + 1} of {len(RUNS)}\n")
    start = time.monotonic()
    clone.repro(*RUNS[index])
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    log(f"\nverify: run {index + 1} took {minutes} min {seconds} s")
    return clone.read()


def changed_outs(first: Run, second: Run) -> list[tuple[str, str]]:
    """List stage and path of each out that the first run lacks or has with another hash."""
    return [(s, out) for s, out, md5 in second.outs() if first.hashes(s, "outs").get(out) != md5]


def table(first: Run, second: Run, verdicts: list[Verdict] | None) -> list[str]:
    """Lay out a line for each out: does the second run repeat it, is it the committed one."""
    changed = changed_outs(first, second)
    outs = [(stage, out) for stage, out, _ in second.outs()]
    committed = {(row.stage, row.out): row.verdict for row in verdicts or []}
    rows = [("stage", "out", "second run", "committed run")]
    for key in dict.fromkeys([*outs, *committed]):
        again = (
            "" if key not in outs else compare.DIFFERENT if key in changed else compare.SAME_BYTES
        )
        rows.append((*key, again, committed.get(key, "not compared")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def repetition(first: Run, second: Run) -> list[str]:
    """Tell whether the second run gave the lock of the first, or where it departed from it."""
    if first.lock == second.lock:
        count = len(list(second.outs()))
        return [f"two runs: the same dvc.lock, the same bytes in all {count} outs"]
    changed = changed_outs(first, second)
    if not changed:
        return ["two runs: the same outs, but the code or the params changed between them"]
    stage, out = changed[0]
    lines = compare.explain(first.fingerprints.get(stage), second.fingerprints.get(stage))
    lines = lines or ["the fingerprints are the same, so the stage's code does not repeat itself"]
    return [
        f"two runs: other bytes in {len(changed)} of the outs, first in {out} of {stage}",
        *(f"  {line}" for line in lines),
    ]


def comparison(committed: Run, now: Run, verdicts: list[Verdict]) -> list[str]:
    """Sum up how a run compares with the committed one, and why it is not the same bytes."""
    count = Counter(row.verdict for row in verdicts)
    kinds = (compare.SAME_BYTES, compare.SAME_METRICS, compare.DIFFERENT)
    lines = ["committed run: " + ", ".join(f"{count[kind]} {kind}" for kind in kinds)]
    if count[compare.SAME_METRICS]:
        lines.append(f"  tolerance of metrics: {TOLERANCE}")
    if count[compare.SAME_METRICS] or count[compare.DIFFERENT]:
        held: dict[str, list[str]] = {}  # each difference of machines once, with its stages
        for stage in now.lock:
            prints = (found.fingerprints.get(stage) for found in (committed, now))
            for line in compare.explain(*prints):
                held.setdefault(line, []).append(stage)
        for line, stages in held.items():
            where = "all stages" if len(stages) == len(now.lock) else ", ".join(stages)
            lines.append(f"  {line} ({where})")
    return lines + [
        f"  {row.out} of {row.stage} is different: {row.reason}"
        for row in verdicts
        if row.verdict == compare.DIFFERENT
    ]


if __name__ == "__main__":
    process.run_main(main, "the temporary clone is removed")
