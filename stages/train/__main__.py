"""Train one network of the study: `python -m stages.train q1` (or q2, augment, better).

By several processes: `torchrun --nproc-per-node 2 -m stages.train q1`, or `compute.processes`.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

from stages.common import reproducible
from stages.common.base import fingerprint, params, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.common.study import NETWORKS
from stages.train.params import Train

UNDER_TORCHRUN = "TORCHELASTIC_RUN_ID" in os.environ
SPEAKS = os.environ.get("RANK", "0") == "0"


def main() -> None:
    summary = __doc__.partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m stages.train", description=summary)
    parser.add_argument("network", choices=NETWORKS, help="which network of the study")
    name = parser.parse_args().network
    settings = params.read(Train, "train", NETWORKS[name].stage)
    compute = params.read(reproducible.Compute, "compute")

    # the heavy imports come after the params are known to be good
    from stages.train import distributed

    if compute.processes > 1 and not UNDER_TORCHRUN:
        distributed.launch(compute.processes, "stages.train", name)
        return
    device = reproducible.prepare(compute, record=SPEAKS)
    with distributed.join(device) as processes:
        train(name, settings, device, processes)


def train(name: str, settings: Train, device, processes) -> None:
    """Train a network, in this process or with a share in each of several."""
    import pandas as pd
    import torch

    from stages.common import dataset, inference, networks
    from stages.common.base import files
    from stages.train import checkpoint, examples, loop

    data = dataset.load()
    network = networks.ARCHITECTURES[settings.architecture](len(data.classes))
    seed = reproducible.derived_seed(settings.seed, "weights")
    networks.initialise(network, torch.Generator().manual_seed(seed))
    networks.move(network, device)
    mean, std = (0.5,) * 3, (0.5,) * 3
    if settings.normalize == "channels":
        mean, std = tuple(data.mean), tuple(data.std)
    model = inference.Model(network, data.classes, mean, std)
    shared = f", shared by {processes.count} processes" if processes.count > 1 else ""
    log(
        f"{name}: {settings.architecture}, {networks.parameter_count(network):,} parameters, "
        f"{len(data.splits['train']):,} training images, {settings.epochs} epochs{shared}"
    )

    optimizer = loop.build_optimizer(network, settings)
    key = checkpoint.digest(
        settings.model_dump() | {"processes": processes.count},
        fingerprint.collect(**reproducible.settled(device)),
        *(Path(module.__file__).parent for module in (loop, networks)),
        *(dataset.RAW, dataset.SPLIT_FOLDER),
    )
    unfinished = checkpoint.Checkpoint(name, key)
    progress = unfinished.load(network, optimizer)
    behind = len(progress.history)
    if not processes.agree(behind):
        raise InputError(
            "the processes find different states of this training: all machines must be of one "
            "kind and share one folder of the project"
        )
    if behind:
        log(f"{name}: an earlier run was stopped: going on after its epoch {behind}")

    start = time.monotonic()
    for row in loop.train(model, data, settings, optimizer, behind, processes):
        if processes.rank:
            continue
        progress.history.append(row)
        if loop.is_better(row, progress.best):
            progress.best = row
            progress.best_weights = {k: value.clone() for k, value in network.state_dict().items()}
        unfinished.save(progress, network, optimizer)
        seconds = time.monotonic() - start
        left = seconds / (row["epoch"] - behind) * (settings.epochs - row["epoch"])
        log(
            f"{name} epoch {row['epoch']:3d} of {settings.epochs}: "
            f"loss {row['train_loss']:.3f} train, {row['val_loss']:.3f} val; "
            f"accuracy {row['train_accuracy']:.1%} train, {row['val_accuracy']:.1%} val, "
            f"{row['test_accuracy']:.1%} test; {seconds:.0f} s, about {left:.0f} s left"
        )
    if processes.rank:
        return

    network.load_state_dict(progress.best_weights)
    best = progress.best
    with files.new_folder(f"models/{name}") as folder:
        inference.save(folder, replace(model, epoch=best["epoch"]))
        table = pd.DataFrame(progress.history)
        table["lr"] = table["lr"].map("{:.6g}".format)  # it ends close to zero
        files.write_csv(folder / "history.csv", table)
        files.write_array(folder / "augmented.npy", examples.examples(data, settings))
    unfinished.remove()
    log(
        f"{name}: kept epoch {best['epoch']} with {best['val_accuracy']:.1%} on validation, "
        f"in models/{name}"
    )


if __name__ == "__main__":
    then = "`dvc repro` goes on after the last finished epoch"
    # of several processes the first one speaks; how they ended is for who started them to say
    process.run_main(main, then=None if UNDER_TORCHRUN else then, speaks=SPEAKS)
