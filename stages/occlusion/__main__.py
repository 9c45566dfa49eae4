"""Hide each part of the galleries' images and watch the answer: `python -m stages.occlusion`."""

import argparse

from stages.common import reproducible
from stages.common.base import params, process
from stages.occlusion.params import Occlusion


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.occlusion", description=__doc__).parse_args()
    settings = params.read(Occlusion, "occlusion")
    compute = params.read(reproducible.Compute, "compute")

    device = reproducible.prepare(compute)  # before torch is loaded

    from stages.occlusion import run

    run.occlude(settings, device)


if __name__ == "__main__":
    process.run_main(main)
