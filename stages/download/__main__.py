"""Fetch or draw the images: `python -m stages.download`."""

import argparse

from stages.common.base import params, process
from stages.download.params import Download


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.download", description=__doc__).parse_args()
    settings = params.read(Download, "download")

    from stages.download import run

    run.download(settings)


if __name__ == "__main__":
    process.run_main(main)
