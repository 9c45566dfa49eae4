"""Measure each stage on a folder of photographs and on one many times as large.

`python -m tools.benchmarks.large photos --set train.precision=bfloat16 compute.kernels=fastest`
runs the whole pipeline on both, each network for one epoch, in a temporary clone of the last
commit, and writes `tools/benchmarks/large/`. Of memory, what the processes of a stage have for
themselves is counted, not what the system keeps of files and gives up when there is need. It
needs Linux.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from stages.common import image_files
from stages.common.base import files, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from tools.benchmarks.__main__ import machine
from tools.benchmarks.watch import watch_repro
from tools.verify.clone import Clone, temporary_clone

OUT = Path("tools/benchmarks/large")
MILLION = 1e6
ONE_EPOCH = [f"{group}.epochs=1" for group in ("train", "train_q1", "augment", "train_better")]
COLUMNS = ("images", "stage", "seconds", "memory")  # memory in bytes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.large", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of images, one subfolder a class")
    parser.add_argument("--times", type=int, default=10, help="how many times as many images")
    parser.add_argument("--set", nargs="*", default=[], help="params, as of `dvc exp run -S`")
    given = parser.parse_args()
    if not given.photos.is_dir():
        raise InputError(f"{given.photos} is not a folder of images")
    if given.times < 2:
        raise InputError(f"--times is {given.times}: 2 or more is needed")
    found = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as many:
        for folder in (given.photos, multiply(given.photos, given.times, Path(many))):
            with temporary_clone(Path.cwd()) as clone:
                found += measure(clone, [f"download.path={folder.resolve()}", *given.set])
            # what is measured so far is kept, should the large one be stopped
            table = pd.DataFrame(found, columns=COLUMNS)
            files.write_csv(OUT / "results.csv", table)
    files.write_text(
        OUT / "results.md", f"{machine('tools.benchmarks.large')}\n\n{markdown(table)}\n"
    )


def multiply(photos: Path, times: int, to: Path) -> Path:
    """Write each photograph so many times, a column less of it each time; return the folder."""
    every, _ = image_files.find(photos)
    log(f"large: {times * len(every):,} images are written")
    for file in every:
        (to / file.parent.name).mkdir(exist_ok=True)
        image = Image.open(file).convert("RGB")
        for left in range(times):
            part = image.crop((left, 0, *image.size))
            part.save(to / file.parent.name / f"{file.stem}-{left}.jpg", quality=92)
    return to


def measure(clone: Clone, overrides: list[str]) -> list[tuple[int, str, float, int]]:
    """Run the pipeline; return a row, as `COLUMNS` names it, for each stage and for all."""
    clone.set_params(["download.source=folder", *ONE_EPOCH, *overrides])
    clone.remove_results()
    rows = watch_repro(clone)
    images = len(np.load(clone.project / "data/raw/labels.npy"))
    return [(images, *row) for row in rows]


def markdown(table: pd.DataFrame) -> str:
    """Lay out both sizes side by side, and how long a million images would take by them."""
    small, large = sorted(table["images"].unique())
    rows = []
    for stage, both in table.groupby("stage", sort=False):
        by_size = both.set_index("images")
        (less, more), (low, high) = by_size["seconds"], by_size["memory"] / 2**20
        an_image = (more - less) / (large - small)
        rows.append(
            {
                "stage": stage,
                f"{small:,} images": f"{less:.0f} s",
                f"{large:,} images": f"{more:.0f} s",
                "a million, reckoned": f"{(more + an_image * (MILLION - large)) / 3600:.1f} h",
                f"memory of {small:,}": f"{low:.0f} MiB",
                f"memory of {large:,}": f"{high:.0f} MiB",
            }
        )
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


if __name__ == "__main__":
    process.run_main(main, "no table was written")
