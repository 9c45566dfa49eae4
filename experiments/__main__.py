"""Run the study on STL-10, as DVC experiments: `python -m experiments data/official/stl10_binary`.

`plan.yaml` says what is trained. What each epoch cost and reached is added to `curves.csv`, the
hash of each model to `models.csv`, the metrics of networks that are measured on test to `metrics/`;
what is there already is not run again. With `--check` it is, and its bytes are compared instead.
Work in a clone of its own: its models, metrics and plots become those of STL-10.
"""

import argparse
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

from experiments import pictures, record, table, training
from experiments import plan as plans
from experiments.plan import Plan
from stages.common.base import files, fingerprint, process
from stages.common.base.errors import InputError
from stages.common.base.params import parse
from stages.common.base.progress import log
from tools.verify.clone import git

PARAMS = Path("params.yaml")


def main() -> None:
    plan = plans.read()
    summary = "Run the study on STL-10, as DVC experiments."
    parser = argparse.ArgumentParser(prog="python -m experiments", description=summary)
    parser.add_argument(
        "stl10", type=Path, help="the archive of STL-10, or the folder of its files"
    )
    parser.add_argument(
        "names", nargs="*", help="experiments, or parts of the plan; all by default"
    )
    parser.add_argument("--seed", type=int, help="run this seed alone; all by default")
    parser.add_argument(
        "--check", action="store_true", help="run what is recorded again: are its bytes the same?"
    )
    arguments = parser.parse_intermixed_args()
    names = plans.chosen(plan, arguments.names)
    seeds = range(max(plan.experiments[name].seeds for name in names))
    if arguments.seed is not None:
        if arguments.seed not in seeds:
            raise InputError(f"--seed is {arguments.seed}: should be one of 0 to {seeds[-1]}")
        seeds = [arguments.seed]
    if not arguments.stl10.exists():
        raise InputError(f"{arguments.stl10} is not there: docs/data.md says where STL-10 is had")
    # a run that was killed leaves those of its last experiment
    if git("status", "--porcelain", str(PARAMS), cwd=Path()):
        raise InputError(f"{PARAMS} is not that of the last commit: `git checkout {PARAMS}`")

    source = {"download.path": arguments.stl10.resolve()}
    common = PARAMS.read_text(encoding="utf-8")
    try:
        if arguments.check:
            failed = check(plan, names, seeds, source)
        else:
            failed = run(plan, names, seeds, source)
    finally:
        files.write_text(PARAMS, common)
    if not (arguments.check or record.read().empty):
        table.main()
    if failed:
        raise InputError(f"{', '.join(failed)} failed: see above")


def run(plan: Plan, names: list[str], seeds, source: dict[str, Any]) -> list[str]:
    """Run what is not recorded yet, and record it; return what failed."""
    trainer, failed = Trainer(plan, source), []
    of_study = [name for name in names if name in plan.study]
    for seed in seeds:
        for name in of_study:
            measure(plan, trainer, name, seed, failed)
        # before others write the models and metrics of the same networks
        compare([plan.network(name) for name in plan.study], seed)
        for name in names:
            if name not in of_study:
                measure(plan, trainer, name, seed, failed)
    return failed


def measure(plan: Plan, trainer: "Trainer", name: str, seed: int, failed: list[str]) -> None:
    """Train an experiment that is not recorded yet, and record it; note in `failed` if it fails."""
    if seed >= plan.experiments[name].seeds or len(record.curve([name], seed)):
        return
    # a step of the ablation may be a network of the study: it is not trained again
    same = record.curve(plan.twins(name, trainer.project), seed)
    if name not in plan.measured and len(same):
        log(f"{name}, seed {seed}: as {same['experiment'].iloc[0]}")
        record.add(name, seed, same)
        return
    try:
        curve, model = trainer.train(name, seed)
    except InputError as error:  # such as a learning rate that is too high
        log(f"{name}, seed {seed}: {error}")
        failed.append(f"{name}-{seed}")
        return
    if name in plan.measured:
        network = plan.network(name)
        dvc("repro", "--single-item", f"evaluate@{network}")
        record.keep(f"metrics/{network}.json", record.METRICS / f"seed-{seed}/{name}.json")
    record.add(name, seed, curve)
    record.add_model(name, seed, model)


def check(plan: Plan, names: list[str], seeds, source: dict[str, Any]) -> list[str]:
    """Run what is recorded again; return what has other bytes than then.

    Kernels other than the portable ones have bytes of their own on each kind of processor: what
    they computed on another one is left out.
    """
    recorded, other, wanted = record.read_models().set_index(["experiment", "seed"]), [], []
    project, this = parse(), fingerprint.collect()["processor"]
    for seed, name in product(seeds, names):
        if (name, seed) not in recorded.index:
            continue
        on = recorded.loc[(name, seed), "processor"]
        if on == this or plan.hyperparameters(name, project)["kernels"] == "portable":
            wanted.append((name, seed))
        else:
            log(f"{name}, seed {seed}: left out, its bytes are those of another processor, {on}")
    if not wanted:
        raise InputError(
            f"nothing to check: {record.MODELS.name} has nothing that could be the same here"
        )
    trainer = Trainer(plan, source)
    for name, seed in wanted:
        _, model = trainer.train(name, seed)
        before = recorded.loc[(name, seed)]
        same = model["md5"] == before["md5"]
        told = "the same bytes" if same else f"other bytes than on {before['processor']}"
        log(f"{name}, seed {seed}: {told}, {model['md5']}")
        if not same:
            other.append(f"{name}-{seed}")
    return other


class Trainer:
    """Trains experiments of the plan, and splits the images anew where they want another split."""

    def __init__(self, plan: Plan, source: dict[str, Any]):
        self.plan, self.source = plan, source
        self.common, self.project = PARAMS.read_text(encoding="utf-8"), parse()
        self.split: dict[str, Any] = {}

    def train(self, name: str, seed: int):
        """Train one; return the rows of its epochs and the hash of its model."""
        experiment = self.plan.experiments[name]
        params = self.source | self.plan.params | {"split.seed": seed, "train.seed": seed}
        params |= experiment.params
        # without the changes of the experiment before
        files.write_text(PARAMS, self.common)
        groups = ("download", "split")
        split = {key: value for key, value in params.items() if key.partition(".")[0] in groups}
        if split != self.split:
            changes = training.changes(split)
            dvc("exp", "run", "--name", f"split-{seed}", "--force", *changes, "split")
            files.write_text(PARAMS, self.common)
            self.split = split
        log(f"{name}, seed {seed}: {experiment.about}")
        network = self.plan.network(name)
        return training.train(f"{name}-{seed}", experiment.stage, network, params)


def compare(networks: list[str], seed: int) -> None:
    """Compare the networks of the study as soon as all of them are there, with this seed."""
    kept = record.METRICS / f"seed-{seed}"
    files_of = {kept / f"{name}.json": Path(f"metrics/{name}.json") for name in networks}
    there = files_of and all(path.exists() for path in files_of)
    if (kept / "pairwise.json").exists() or not there:
        return
    if any(path.read_bytes() != last.read_bytes() for path, last in files_of.items()):
        log(
            f"seed {seed}: not compared, since the last training of a network was with another "
            f"seed; to run its four networks again, delete {kept} and their rows from "
            f"{record.CURVES.name}"
        )
        return
    dvc("repro", "--single-item", "compare")
    if seed == 0:
        later = ("occlusion", "occlusion_better", "explore", "report")
        dvc("repro", "--single-item", *later)
        pictures.keep(networks)
        record.keep("metrics/occlusion.json", kept / "occlusion.json")
    # last, since it says that all is done
    record.keep("metrics/pairwise.json", kept / "pairwise.json")


def dvc(*arguments: str) -> None:
    if subprocess.run(["dvc", *arguments]).returncode:
        raise InputError(f"`dvc {' '.join(arguments)}` failed: see above")


if __name__ == "__main__":
    process.run_main(main, then="the same command goes on with the experiments that are left")
