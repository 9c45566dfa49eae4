"""What can be watched of a training while it runs, with `dvc exp show`, `dvc plots` and VS Code.

DVCLive writes it into `live/`. That is no out, and no stage reads it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.common.base import files
from stages.common.study import NETWORKS, SPLITS

FOLDER = Path("live")
# by this DVC finds the rest: it is there only as long as a training runs, so that neither
# `dvc metrics diff` nor the commit of an experiment has what is out of date by then
SHOWN = FOLDER / "dvc.yaml"
CURVES = "plots/custom/curves.json"  # where `log_plot` writes, below a network's folder
CHARTS = {
    "Loss while training": ("loss", "cross-entropy (nats)"),
    "Accuracy while training": ("accuracy", "accuracy"),
}

Row = dict[str, float]


@contextmanager
def watched(network: str, finished: list[Row], rank: int = 0) -> Iterator[Callable[[Row], None]]:
    """Yield what shows a row of the history after its epoch.

    Parameters
    ----------
    finished : list of dict
        The rows of earlier epochs, from which the training goes on; they are written anew.
    rank : int
        Of this process among those that train together: the first one writes.
    """
    if rank or not Path(".dvc").is_dir():
        yield lambda row: None
        return
    os.environ["DVC_STUDIO_OFFLINE"] = "1"  # also where a token is at hand, nothing is sent
    os.environ.setdefault("DVCLIVE_LOGLEVEL", "ERROR")
    from dvclive import Live
    from scmrepo.exceptions import SCMError

    try:
        live = Live(str(FOLDER / network), save_dvc_exp=False, dvcyaml=None)
    except SCMError:  # it asks Git for the last commit, and there may be none yet
        yield lambda row: None
        return
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        live.step = row["epoch"]
        for column, value in row.items():
            if column != "epoch":
                live.log_metric(column, value)

    def show(row: Row) -> None:
        note(row)
        live.log_plot("curves", curves(network, rows), x="epoch", y=["loss", "accuracy"])
        live.next_step()
        files.write_json(SHOWN, definitions(network))  # JSON is YAML

    for row in finished:
        note(row)
    try:
        yield show
        live.end()  # not after an interruption, which must be told before DVC is gone
    finally:
        SHOWN.unlink(missing_ok=True)


def curves(network: str, rows: list[Row]) -> list[dict[str, str | float | None]]:
    """Return rows of the history as those of `plots/compare/curves.csv`: one an epoch and split."""
    return [
        {"network": network, "epoch": row["epoch"], "split": split}
        | {kind: row.get(f"{split}_{kind}") for kind in ("loss", "accuracy")}
        for row in rows
        for split in SPLITS
    ]


def definitions(network: str) -> dict[str, list]:
    """Return what DVC shows: metrics of this network, and curves of each that has been trained."""
    there = [name for name in NETWORKS if (FOLDER / name / CURVES).is_file()]
    plots = [
        {
            title: {
                "template": "curves",
                "x": "epoch",
                "y": {f"{name}/{CURVES}": kind for name in there},
                "y_label": label,
            }
        }
        for title, (kind, label) in CHARTS.items()
    ]
    return {"metrics": [f"{network}/metrics.json"], "plots": plots}
