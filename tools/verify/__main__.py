"""Prove that the pipeline gives the same bytes again: `python -m tools.verify`.

It runs twice from scratch in a temporary clone of the last commit, and what came out is compared
with the committed run. The exit code is 0 if all is the same, 1 if not.
"""

import argparse
import sys
import time
from pathlib import Path

from stages.common.base import process
from stages.common.base.progress import log
from tools.verify import committed, report
from tools.verify.clone import Clone, git, temporary_clone
from tools.verify.committed import Run

RUNS = ((), ("--force", "--no-run-cache"))


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
    """Run the pipeline of a project's last commit twice, report, and tell if all is the same."""
    if changes := git("status", "--porcelain", cwd=project).splitlines():
        log(f"verify: what is not committed is not verified: {len(changes)} changes")
    with temporary_clone(project) as clone:
        head = git("log", "-1", "--format=%h %s", cwd=clone.project).strip()
        log(f"verify: commit {head}")
        before = clone.read()
        clone.set_params(overrides)
        clone.link_source(project)
        clone.remove_results()
        first, second = (run(clone, i) for i in range(len(RUNS)))
    compared = None
    if before.lock and not overrides:
        compared = committed.compare(before, second)
    lines = [*report.table(first, second, compared), "", *report.repetition(first, second)]
    if overrides:
        lines.append("committed run: not compared, as --set changed its params")
    elif compared is None:
        lines.append("committed run: there is none, dvc.lock is not in the commit")
    else:
        lines += report.comparison(before, second, compared)
    same = report.is_same(first, second, compared)
    log("\n".join(["", *lines, "verified" if same else "NOT verified"]))
    return same


def run(clone: Clone, index: int) -> Run:
    """Run the pipeline in the clone and say how long it took."""
    log(f"\nverify: run {index + 1} of {len(RUNS)}\n")
    start = time.monotonic()
    clone.repro(*RUNS[index])
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    log(f"\nverify: run {index + 1} took {minutes} min {seconds} s")
    return clone.read()


if __name__ == "__main__":
    process.run_main(main, "the temporary clone is removed")
