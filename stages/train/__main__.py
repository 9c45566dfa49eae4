"""Train one network of the study: `python -m stages.train q1` (or q2, augment, better).

By several processes: `torchrun --nproc-per-node 2 -m stages.train q1`, or `compute.processes`.
"""

import argparse
import os

from stages.common import reproducible
from stages.common.base import params, process
from stages.common.base.errors import InputError
from stages.common.study import NETWORKS
from stages.train.params import Train

UNDER_TORCHRUN = "TORCHELASTIC_RUN_ID" in os.environ
SPEAKS = os.environ.get("RANK", "0") == "0"


def main() -> None:
    summary = "Train one network of the study."
    parser = argparse.ArgumentParser(prog="python -m stages.train", description=summary)
    parser.add_argument("network", choices=NETWORKS, help="which network of the study")
    name = parser.parse_args().network
    settings = params.read(Train, "train", NETWORKS[name].stage)
    compute = params.read(reproducible.Compute, "compute")

    # the heavy imports come after the params are known to be good
    if compute.processes > 1 and not UNDER_TORCHRUN:
        from stages.train import distributed

        distributed.launch(compute.processes, "stages.train", name)
        return
    device = reproducible.prepare(compute, record=SPEAKS)
    if (settings.precision, device.type, compute.kernels) == ("bfloat16", "cpu", "portable"):
        raise InputError(
            "params.yaml: train.precision is 'bfloat16', which processors round in ways of their "
            "own: set compute.kernels to fastest, or take float32"
        )

    from stages.train import distributed, run

    with distributed.join(device) as processes:
        run.train(name, settings, device, processes)


if __name__ == "__main__":
    then = "`dvc repro` goes on after the last finished epoch"
    # of several processes the first one speaks; how they ended is for whoever started them to say
    process.run_main(main, then=None if UNDER_TORCHRUN else then, speaks=SPEAKS)
