"""What the networks' own files say, in tables with a column `network`."""

from typing import Any

import numpy as np
import pandas as pd

from stages.common.base.files import read_csv
from stages.common.confusion import count, row_shares
from stages.common.study import NETWORKS, SPLITS
from stages.common.tables.rows import MOST_ROWS

# a training step takes three times the multiply-accumulates of a prediction: forward, and backward
# once to the weights and once to what the layer was given
PASSES = 3


def read(file: str, columns: dict[str, type]) -> pd.DataFrame:
    """Join the tables `plots/<network>/<file>` of all networks; InputError where one is missing."""
    found = {name: read_csv(f"plots/{name}/{file}", columns) for name in NETWORKS}
    return pd.concat(found, names=["network"]).reset_index("network")


def overview(metrics: dict[str, dict[str, Any]], curves: pd.DataFrame, images: int) -> pd.DataFrame:
    """Set the networks' accuracy beside what they cost.

    `metrics` are those that `evaluate` wrote; `images` is the size of the training part.

    Returns
    -------
    DataFrame
        network, parameters, multiply_accumulates (an image), epochs, best_epoch,
        training_multiply_accumulates (of all epochs, at full image size), val_accuracy,
        test_accuracy, and the ends of the 95 % interval of the latter, test_low and test_high.
    """
    rows = []
    for name, of in metrics.items():
        epochs = int((curves["network"] == name).sum())
        work = PASSES * of["multiply_accumulates"] * images * epochs
        rows.append(
            {
                "network": name,
                "parameters": of["parameters"],
                "multiply_accumulates": of["multiply_accumulates"],
                "epochs": epochs,
                "best_epoch": of["best_epoch"],
                "training_multiply_accumulates": work,
                "val_accuracy": of["val"]["accuracy"],
                "test_accuracy": of["test"]["accuracy"],
                "test_low": of["test"]["accuracy_interval"]["low"],
                "test_high": of["test"]["accuracy_interval"]["high"],
            }
        )
    return pd.DataFrame(rows)


def summary(metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Pick the few numbers by which one experiment is told from another."""
    return {
        f"{split}_accuracy": {name: of[split]["accuracy"] for name, of in metrics.items()}
        for split in ("val", "test")
    }


def long_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Return curves in the long form: network, epoch, split, loss, accuracy.

    There is no loss of the test part; its rows have an empty one.
    """
    parts = [
        pd.DataFrame(
            {
                "network": curves["network"],
                "epoch": curves["epoch"],
                "split": split,
                "loss": curves.get(f"{split}_loss", np.nan),
                "accuracy": curves[f"{split}_accuracy"],
            }
        )
        for split in SPLITS
    ]
    return pd.concat(parts)


def confusion(pairs: pd.DataFrame, network: str, classes: list[str]) -> np.ndarray:
    """Count one network's answers: int64 (c, c)."""
    return count(pairs[pairs["network"] == network], classes)


def correct(pairs: pd.DataFrame, network: str) -> np.ndarray:
    """Return which images a network classifies correctly, in their order: bool (n,)."""
    own = pairs[pairs["network"] == network]
    return (own["actual"] == own["predicted"]).to_numpy()


def cells(pairs: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """List the cells of the networks' confusion matrices: images, and share of the true class.

    Up to `MOST_ROWS` classes all of them; of more, those that have images, and the first row and
    column, from which a chart takes the classes of its axes and their order.
    """
    tables = []
    for network in pairs["network"].unique():
        counts = confusion(pairs, network, classes)
        listed = counts > 0
        listed[0] = listed[:, 0] = True
        actual, predicted = np.nonzero(listed | (len(classes) <= MOST_ROWS))
        columns = {
            "network": network,
            "actual": np.array(classes)[actual],
            "predicted": np.array(classes)[predicted],
            "images": counts[actual, predicted],
            "share": row_shares(counts)[actual, predicted],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
