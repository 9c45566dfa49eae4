"""Put the networks side by side: `python -m stages.compare`."""

import argparse

from stages.common.base import process


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.compare", description=__doc__).parse_args()

    from stages.compare import run

    run.compare()


if __name__ == "__main__":
    process.run_main(main)
