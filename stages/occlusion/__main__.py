"""Hide each part of the galleries' images and watch the answer: `python -m stages.occlusion`."""

import argparse

from stages.common import reproducible
from stages.common.base import params, process
from stages.common.study import NETWORKS
from stages.occlusion.params import Occlusion


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m stages.occlusion", description=__doc__)
    about = "measure this network in place of the params' one, for the explorer alone"
    parser.add_argument("network", nargs="?", choices=NETWORKS, help=about)
    network = parser.parse_args().network
    settings = params.read(Occlusion, "occlusion")
    compute = params.read(reproducible.Compute, "compute")

    device = reproducible.prepare(compute)  # before torch is loaded

    from stages.occlusion import run

    if network:
        run.occlude_alone(network, settings, device)
    else:
        run.occlude(settings, device)


if __name__ == "__main__":
    process.run_main(main)
