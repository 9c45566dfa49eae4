"""Prove that the pipeline gives the committed bytes again: `python -m tools.verify`.

It runs from scratch in a temporary clone of the last commit, and every out is compared with that
of the committed run. The exit code is 0 if all is the same, 1 if not.
"""

import argparse
import platform
import sys
import time
from collections import Counter
from pathlib import Path

from stages.common.base import files, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from tools.verify import compare
from tools.verify.clone import committed_doubts, git, read, temporary_clone
from tools.verify.compare import Run, Verdict

# every stage as it is, on the least data
SMALL = ["download.source=sample", "download.per_class=4", "compute.device=cpu"]
SMALL += ["train.batch_size=8", "occlusion.patches=[32]", "occlusion.stride=32"]
SMALL += ["train_q1.epochs=1", "train_q2.epochs=1"]
SMALL += ["augment.epochs=2", "train_better.epochs=2"]
SMALL_OUTS = Path("tools/verify/small.json")  # hash of each out of the small run
PYTHON = "3.11"  # with which they were written
NATIVE = "native"
TOLERANCE = (
    f"{compare.SHARE_TOLERANCE} for shares, {compare.LOSS_TOLERANCE} for losses, "
    f"{compare.GALLERY_TOLERANCE} for what occlusion measures, counts equal, best epoch, images in "
    "a gallery and tests free"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=__doc__)
    parser.add_argument(
        "--small", action="store_true", help=f"on little data, compared with {SMALL_OUTS}"
    )
    parser.add_argument("--write", action="store_true", help=f"write {SMALL_OUTS} instead")
    parser.add_argument(
        "processors",
        nargs="*",
        default=[NATIVE],
        help=f"to run on, one after the other: {NATIVE}, or a name of `qemu-x86_64 -cpu help`",
    )
    given = parser.parse_args()
    project = Path.cwd()
    if changes := git("status", "--porcelain", cwd=project).splitlines():
        log(f"verify: what is not committed is not verified: {len(changes)} changes")
    if given.small:
        check_machine()
    same = [verify(project, name, given.small, given.write) for name in given.processors]
    sys.exit(0 if all(same) else 1)


def check_machine() -> None:
    """Raise an InputError where the small run's bytes cannot be those that were written."""
    here = f"{platform.system()} {platform.machine()}", platform.python_version().rpartition(".")[0]
    if here != ("Linux x86_64", PYTHON):
        raise InputError(f"{SMALL_OUTS} is of Linux x86_64, Python {PYTHON}; here is {here}")


def verify(project: Path, processor: str, small: bool, write: bool) -> bool:
    """Run the pipeline of a project's last commit; report, and return if all is the same."""
    with temporary_clone(project) as clone:
        committed, doubts = read(clone.project), committed_doubts(clone.project)
        if small:
            clone.set_params(SMALL)
            outs = clone.project / SMALL_OUTS
            committed, doubts = Run(files.read_json(outs) if outs.exists() else {}, {}, {}), []
        if not committed.outs and not write:
            raise InputError("the last commit has no run to compare with: dvc.lock is not in it")
        if processor != NATIVE:
            clone.emulate(processor)
        clone.link_source(project)
        clone.remove_results()
        start = time.monotonic()
        clone.repro()
        minutes, seconds = divmod(round(time.monotonic() - start), 60)
        now = read(clone.project)
    if write:
        files.write_json(project / SMALL_OUTS, now.outs)
        return True
    if small:
        # only hashes are kept, so nothing but the same bytes will do
        now = Run(now.outs, {}, {})
    verdicts = compare.compare(committed, now)
    same = all(row.verdict != compare.DIFFERENT for row in verdicts) and not doubts
    for line in ("", *report(committed, now, verdicts), *doubts):
        log(line)
    log(f"{'verified' if same else 'NOT verified'}: {processor}, {minutes} min {seconds} s")
    return same


def report(committed: Run, now: Run, verdicts: list[Verdict]) -> list[str]:
    """Lay out a line for each out, then how many are the same and why others are not."""
    width = max(len(row.out) for row in verdicts)
    lines = [f"{row.out:{width}}  {row.verdict}  {row.reason}".rstrip() for row in verdicts]
    count = Counter(row.verdict for row in verdicts)
    lines.append(", ".join(f"{count[kind]} {kind}" for kind in count))
    if count[compare.SAME_METRICS]:
        lines.append(f"tolerance of metrics: {TOLERANCE}")
    if count.keys() != {compare.SAME_BYTES}:
        lines += compare.explain(committed, now)
    return lines


if __name__ == "__main__":
    process.run_main(main, "the temporary clone is removed")
