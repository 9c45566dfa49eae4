"""Run the study on photographs, as DVC experiments: `python -m experiments photos`.

`plan.yaml` says what is trained. What each epoch cost and reached is added to `curves.csv`, the
metrics of the four networks of the study to `metrics/`; what is there already is not run again.
Work in a clone of its own: its models, metrics and plots become those of the photographs.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

from experiments import plan as plans
from experiments import record, table, training
from stages.common.base import files, process
from stages.common.base.errors import InputError
from stages.common.base.params import parse
from stages.common.base.progress import log
from tools.verify.clone import git

PARAMS = Path("params.yaml")


def main() -> None:
    plan = plans.read()
    summary = "Run the study on photographs, as DVC experiments."
    parser = argparse.ArgumentParser(prog="python -m experiments", description=summary)
    parser.add_argument("photos", type=Path, help="folder of the images that photos.txt lists")
    parser.add_argument(
        "names", nargs="*", help="experiments, or parts of the plan; all by default"
    )
    parser.add_argument("--seed", type=int, help="run this seed alone; all by default")
    arguments = parser.parse_intermixed_args()
    names = plans.chosen(plan, arguments.names)
    seeds = range(max(plan.experiments[name].seeds for name in names))
    if arguments.seed is not None and arguments.seed not in seeds:
        raise InputError(f"--seed is {arguments.seed}: should be one of 0 to {seeds[-1]}")
    if not arguments.photos.is_dir():
        raise InputError(f"{arguments.photos} is not a folder of images")

    # a run that was killed leaves those of its last experiment
    if git("status", "--porcelain", str(PARAMS), cwd=Path()):
        raise InputError(f"{PARAMS} is not that of the last commit: `git checkout {PARAMS}`")
    common, project = PARAMS.read_text(encoding="utf-8"), parse()
    params = {"download.source": "folder", "download.path": arguments.photos.resolve()}
    params |= plan.params
    failed = []
    try:
        dvc("exp", "run", "--name", "photos", "--force", *training.changes(params), "split")
        for seed in seeds if arguments.seed is None else [arguments.seed]:
            for name in names:
                experiment = plan.experiments[name]
                if seed >= experiment.seeds or len(record.curve([name], seed)):
                    continue
                # a step of the ablation may be a network of the study: it is not trained again
                same = record.curve(plan.twins(name, project), seed)
                if name not in plan.study and len(same):
                    log(f"{name}, seed {seed}: as {same['experiment'].iloc[0]}")
                    record.add(name, seed, same)
                    continue
                # without the changes of the experiment before
                files.write_text(PARAMS, common)
                network = plans.NETWORKS[experiment.stage]
                own = params | {"train.seed": seed} | experiment.params
                log(f"{name}, seed {seed}: {experiment.about}")
                try:
                    curve = training.train(f"{name}-{seed}", experiment.stage, network, own)
                except InputError as error:  # such as a learning rate that is too high
                    log(f"{name}, seed {seed}: {error}")
                    failed.append(f"{name}-{seed}")
                    continue
                if name in plan.study:
                    dvc("repro", "--single-item", f"evaluate@{network}")
                    keep(f"metrics/{network}.json", record.METRICS / f"seed-{seed}")
                record.add(name, seed, curve)
            compare([plans.NETWORKS[one.stage] for one in plan.study.values()], seed)
    finally:
        files.write_text(PARAMS, common)
    if not record.read().empty:
        table.main()
    if failed:
        raise InputError(f"{', '.join(failed)} failed: see above")


def compare(networks: list[str], seed: int) -> None:
    """Compare the networks of the study as soon as all of them are there, with this seed."""
    kept = record.METRICS / f"seed-{seed}"
    files_of = {kept / f"{name}.json": Path(f"metrics/{name}.json") for name in networks}
    if (kept / "pairwise.json").exists() or not all(path.exists() for path in files_of):
        return
    if any(path.read_bytes() != last.read_bytes() for path, last in files_of.items()):
        log(
            f"seed {seed}: not compared, since the last training of a network was with another "
            f"seed; to run its four networks again, delete {kept} and their rows from "
            f"{record.CURVES.name}"
        )
        return
    dvc("repro", "--single-item", "compare")
    keep("metrics/pairwise.json", kept)
    if seed == 0:
        compared = Path("plots/compare")
        for file in (*sorted(compared.glob("*.png")), compared / "confusion_val.csv"):
            keep(file, record.PLOTS)
        for name in networks:
            keep(f"plots/{name}/confusion_val.png", record.PLOTS / name)


def keep(file: str | Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / Path(file).name)


def dvc(*arguments: str) -> None:
    if subprocess.run(["dvc", *arguments]).returncode:
        raise InputError(f"`dvc {' '.join(arguments)}` failed: see above")


if __name__ == "__main__":
    process.run_main(main, then="the same command goes on with the experiments that are left")
