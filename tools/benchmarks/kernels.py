"""One epoch of training: what the same bytes on every processor cost."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stages.common import reproducible
from stages.common.base import params
from stages.common.study import NETWORKS
from stages.train.params import Train
from tools.benchmarks.table import Row

# of a loss, relative, at a rate so low that rounding does not grow much in an epoch
TOLERANCE = 0.01


def rows(pairs: int) -> Iterator[Row]:
    """Compare portable kernels with the fastest, then each limit that makes them so by itself.

    Every epoch has a process of its own, in turn.
    """
    from tools.benchmarks import training

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        training.prepare(Path(folder), None)
        for name in NETWORKS:
            yield compare(folder, name, "portable", {}, pairs)
        for variable, value in reproducible.PORTABLE.items():
            yield compare(folder, "q2", "fastest", {variable: value}, pairs)


def compare(folder: str, name: str, kernels: str, limits: dict[str, str], pairs: int) -> Row:
    """Compare an epoch of a network, with some kernels and environment, with the fastest."""
    from tools.benchmarks import measure

    kinds = {"ours": (kernels, limits), "other": ("fastest", {})}
    both = []
    for number in range(pairs):
        order = reversed(kinds) if number % 2 else kinds
        both.append({kind: call(folder, name, *kinds[kind]) for kind in order})
    losses = [both[0][kind]["loss"] for kind in kinds]
    same = measure.agree(*losses, "losses of the epoch", TOLERANCE, relative=True)
    times = [(run["ours"]["seconds"], run["other"]["seconds"]) for run in both]
    [what] = [f"{variable}={value} alone" for variable, value in limits.items()] or [
        "portable kernels"
    ]
    return Row(
        f"{name}, {what}", "so limited" if limits else "portable", "fastest kernels", times, same
    )


def call(folder: str, name: str, kernels: str, limits: dict[str, str]) -> dict[str, float]:
    """Train for an epoch in another process; return its loss, and its seconds without the start."""
    command = [sys.executable, "-m", "tools.benchmarks.kernels", kernels, name]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())} | limits
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main(kernels: str, name: str) -> None:
    compute = params.read(reproducible.Compute, "compute")
    compute = compute.model_copy(update={"kernels": kernels, "device": "cpu"})
    settings = params.read(Train, "train", NETWORKS[name].stage)
    settings = settings.model_copy(update={"sizes": [96], "lr": settings.lr / 1000})
    device = reproducible.prepare(compute, record=False)

    from stages.common import dataset
    from stages.train import loop, run
    from tools.benchmarks.measure import seconds

    data = dataset.load()
    model = run.build(settings, data, device)
    optimizer = loop.build_optimizer(model.network, settings)
    epoch = loop.train(model, data, settings, optimizer)
    losses = []
    taken = seconds(lambda: losses.append(next(epoch)["train_loss"]))
    print(json.dumps({"seconds": taken, "loss": losses[0]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
