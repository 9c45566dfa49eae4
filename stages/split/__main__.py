"""Divide the images into train, validation and test: `python -m stages.split`."""

import argparse

from stages.common.base import params, process
from stages.split.params import Split


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.split", description=__doc__).parse_args()
    settings = params.read(Split, "split")

    from stages.split import run

    run.split(settings)


if __name__ == "__main__":
    process.run_main(main)
