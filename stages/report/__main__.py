"""Write the study as a PDF: `python -m stages.report`."""

import argparse

from stages.common.base import params, process
from stages.common.study import NETWORKS
from stages.report.params import Report, Shown

GROUPS = ("download", "split", "compute", "evaluate", "occlusion")


def main() -> None:
    argparse.ArgumentParser(prog="python -m stages.report", description=__doc__).parse_args()
    author = params.read(Report, "report")
    settings = {
        name: params.read(Shown, "train", network.stage).model_dump()
        for name, network in NETWORKS.items()
    }
    groups = {name: params.read(Shown, name).model_dump() for name in GROUPS}

    from stages.report import run

    run.report(author, settings, groups)


if __name__ == "__main__":
    process.run_main(main)
