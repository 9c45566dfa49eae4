"""Measure what the project claims of its speed: `python -m tools.benchmarks`.

Each claim is a ratio of two ways to the same result, timed in turn in one run.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from stages.common import reproducible
from stages.common.base import fingerprint, params, process
from stages.common.base.errors import InputError, shown
from stages.common.base.progress import log

BENCHMARKS = ("occlusion", "training", "kernels", "reading")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=__doc__)
    known = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", help=f"which of {known}; all by default")
    parser.add_argument("--pairs", type=int, default=5, help="times that each is repeated")
    parser.add_argument(
        "--photos", type=Path, help="folder of images to read, and to train on in place of `sample`"
    )
    parser.add_argument(
        "--kernels", choices=("fastest", "portable"), default="fastest", help="as in params.yaml"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("tools/benchmarks"), help="folder of the table"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            raise InputError(f"{shown(name)} is no benchmark: {known} are there")
    if arguments.pairs < 1:
        raise InputError(f"--pairs is {arguments.pairs}: 1 or more is needed")
    if arguments.photos and not arguments.photos.is_dir():
        raise InputError(f"--photos {arguments.photos} is not a folder of images")
    if "reading" in arguments.names and not arguments.photos:
        raise InputError("reading needs photographs, since drawn images are no files: --photos")
    # all that can be measured
    every = [name for name in BENCHMARKS if name != "reading" or arguments.photos]
    threads = params.read(reproducible.Compute, "compute").threads
    if arguments.kernels == "portable":
        os.environ.update(reproducible.PORTABLE)

    import torch

    from tools.benchmarks import table

    torch.set_num_threads(threads)
    rows, lines = [], []
    for name in arguments.names or every:
        for found in run(name, arguments.pairs, arguments.photos):
            if isinstance(found, str):
                lines.append(found)
                log(f"{name}: {found}")
            else:
                rows.append((name, found))
                log(f"{name}: {found.case}: {found.ratio:.2f} times {found.other}")
    print("", table.markdown(rows, machine(), lines), sep="\n", flush=True)
    table.write(arguments.out, rows, machine(), lines)


def run(name: str, pairs: int, photos: Path | None) -> Iterator:
    """Yield the rows of one benchmark, and as plain text what stands below the table."""
    from tools.benchmarks import kernels, occlusion, reading, training

    match name:
        case "occlusion":
            return occlusion.rows(pairs)
        case "training":
            return training.rows(pairs, photos)
        case "kernels":
            return kernels.rows(pairs)
        case "reading":
            return reading.rows(pairs, photos)


def machine(module: str = "tools.benchmarks") -> str:
    """Return in one line what was measured where, by the command of a module."""
    import torch

    found = fingerprint.collect(**reproducible.settled(torch.device("cpu")))
    versions = ", ".join(f"{name} {found[name]}" for name in ("python", "torch", "torchvision"))
    command = shlex.join(["python", "-m", module, *sys.argv[1:]])
    return (
        f"{found['processor']}, {found['threads']} threads on {os.cpu_count()} cores, "
        f"{found['kernels']}, {found['platform']}, {versions}: `{command}`"
    )


if __name__ == "__main__":
    process.run_main(main, "no table was written")
