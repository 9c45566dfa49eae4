"""Write the page on which a person looks at the study: `python -m stages.explore`."""

import argparse

from stages.common import reproducible
from stages.common.base import params, process


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.explore", description=__doc__).parse_args()
    compute = params.read(reproducible.Compute, "compute")

    device = reproducible.prepare(compute)  # before torch is loaded

    from stages.explore import run

    run.explore(device)


if __name__ == "__main__":
    process.run_main(main)
