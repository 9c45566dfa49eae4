"""Measure one trained network and draw its pictures: `python -m stages.evaluate q1`."""

import argparse

from stages.common import reproducible
from stages.common.base import params, process
from stages.common.study import NETWORKS
from stages.evaluate.params import Evaluate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate", description=__doc__)
    parser.add_argument("network", choices=NETWORKS, help="which network of the study")
    name = parser.parse_args().network
    settings = params.read(Evaluate, "evaluate")
    compute = params.read(reproducible.Compute, "compute")

    device = reproducible.prepare(compute)  # before torch is loaded

    from stages.evaluate import run

    run.evaluate(name, settings, device)


if __name__ == "__main__":
    process.run_main(main)
