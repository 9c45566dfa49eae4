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
    """Compare the portable kernels with the fastest, each in a process of its own, in turn."""
    from tools.benchmarks import measure, training

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        training.prepare(Path(folder), None)
        for name in NETWORKS:
            both = []
            for number in range(pairs):
                kinds = ("portable", "fastest") if number % 2 else ("fastest", "portable")
                both.append({kind: call(folder, kind, name) for kind in kinds})
            losses = [both[0][kind]["loss"] for kind in ("portable", "fastest")]
            same = measure.agree(*losses, "losses of the epoch", TOLERANCE, relative=True)
            times = [(run["portable"]["seconds"], run["fastest"]["seconds"]) for run in both]
            yield Row(f"{name}, portable kernels", "portable", "fastest kernels", times, same)


def call(folder: str, kernels: str, name: str) -> dict[str, float]:
    """Train for an epoch in another process; return its loss, and its seconds without the start."""
    command = [sys.executable, "-m", "tools.benchmarks.kernels", kernels, name]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
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
