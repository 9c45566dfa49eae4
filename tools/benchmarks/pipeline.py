"""Measure each stage of the pipeline as it stands: `python -m tools.benchmarks.pipeline`.

Runs the last commit from scratch in a temporary clone, which `make repro` does too, and writes
`tools/benchmarks/pipeline/`. It needs Linux.
"""

import argparse
import os
from pathlib import Path

import pandas as pd

from stages.common.base import files, process
from stages.common.study import NETWORKS
from tools.benchmarks.watch import ALL, watch_repro
from tools.verify.clone import Clone, temporary_clone

OUT = Path("tools/benchmarks/pipeline")
TRAINING = {network.stage for network in NETWORKS.values()}


def main() -> None:
    summary = "Measure each stage of the pipeline, from scratch, in a temporary clone."
    argparse.ArgumentParser(
        prog="python -m tools.benchmarks.pipeline", description=summary
    ).parse_args()
    with temporary_clone(Path.cwd()) as clone:
        clone.remove_results()
        write(clone)


def write(clone: Clone) -> None:
    """Run the pipeline in a clone; write the table of its stages, and what it ran on."""
    rows = watch_repro(clone)
    table = pd.DataFrame([row[:2] for row in rows], columns=["stage", "seconds"])
    files.write_csv(OUT / "results.csv", table.round(1))
    found = files.read_json(clone.project / f"fingerprints/{NETWORKS['q1'].stage}.json")
    machine = (
        f"{found['processor']}, {found['threads']} threads on {os.cpu_count()} cores, "
        f"{found['kernels']}, {found['platform']}, python {found['python']}, torch "
        f"{found['torch']}: `python -m tools.benchmarks.pipeline`"
    )
    files.write_text(OUT / "results.md", f"{machine}\n\n{markdown(table)}\n")


def markdown(table: pd.DataFrame) -> str:
    """Lay out the seconds of each stage, then those of the trainings and of all else.

    >>> table = pd.DataFrame({"stage": ["split", "augment", ALL], "seconds": [2.0, 90.0, 95.2]})
    >>> print(markdown(table))
    | stage                               | seconds   |
    |:------------------------------------|:----------|
    | split                               | 2         |
    | augment                             | 90        |
    | the trainings together              | 90        |
    | everything else, with what DVC does | 5         |
    | all                                 | 95        |
    """
    seconds = table.set_index("stage")["seconds"]
    whole, trainings = seconds.pop(ALL), seconds[seconds.index.isin(TRAINING)].sum()
    seconds["the trainings together"] = trainings
    seconds["everything else, with what DVC does"] = whole - trainings
    seconds["all"] = whole
    return (
        seconds.map("{:.0f}".format).reset_index().to_markdown(index=False, disable_numparse=True)
    )


if __name__ == "__main__":
    process.run_main(main, "no table was written")
