"""What the networks' own files say, in tables with a column `network`."""

from typing import Any

import numpy as np
import pandas as pd

from stages.common.base.errors import InputError
from stages.common.base.files import read_csv
from stages.common.study import SPLITS

CURVES = {"epoch": int} | dict.fromkeys(
    ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "test_accuracy"), float
)
CONFUSION = {"actual": str, "predicted": str}
CLASSES = {"split": str, "class": str, "images": int} | dict.fromkeys(
    ("precision", "recall", "f1"), float
)
RELIABILITY = {"split": str, "low": float, "high": float, "images": int} | dict.fromkeys(
    ("confidence", "accuracy"), float
)
# a training step takes three times the multiply-accumulates of a prediction: forward, and backward
# once to the weights and once to what the layer was given
PASSES = 3


def read(networks: list[str], file: str, types: dict[str, type]) -> pd.DataFrame:
    """Join the tables `plots/<network>/<file>` of all networks.

    Raises
    ------
    InputError
        One of them is missing or damaged.
    """
    found = [read_csv(f"plots/{name}/{file}", types) for name in networks]
    return pd.concat(found, keys=networks, names=["network"]).reset_index("network")


def check_images(pairs: pd.DataFrame, split: str) -> None:
    """Check that all networks answered the same images; `pairs` is as in `shares`.

    Raises
    ------
    InputError
        They were not evaluated on one data set and split.
    """
    first, *others = pairs["network"].unique()
    actual = {name: own["actual"].to_list() for name, own in pairs.groupby("network")}
    for name in others:
        if actual[name] != actual[first]:
            raise InputError(
                f"plots/{name}/confusion_{split}.csv has other images than that of {first}: run "
                "`dvc repro` to evaluate both anew"
            )


def overview(metrics: dict[str, dict[str, Any]], curves: pd.DataFrame, images: int) -> pd.DataFrame:
    """Set the networks' accuracy beside what they cost.

    Parameters
    ----------
    metrics : dict of str to dict
        Of each network, as `evaluate` wrote them.
    curves : DataFrame
        network, epoch.
    images : int
        Of the training part.

    Returns
    -------
    DataFrame
        network, parameters, multiply_accumulates (an image), epochs, best_epoch,
        training_multiply_accumulates (of all epochs, at full image size), val_accuracy,
        test_accuracy, and the ends of the 95 % interval of the latter, test_low and test_high.
    """
    rows = []
    for name, figures in metrics.items():
        epochs = int((curves["network"] == name).sum())
        work = PASSES * figures["multiply_accumulates"] * images * epochs
        rows.append(
            {
                "network": name,
                "parameters": figures["parameters"],
                "multiply_accumulates": figures["multiply_accumulates"],
                "epochs": epochs,
                "best_epoch": figures["best_epoch"],
                "training_multiply_accumulates": work,
                "val_accuracy": figures["val"]["accuracy"],
                "test_accuracy": figures["test"]["accuracy"],
                "test_low": figures["test"]["accuracy_interval"]["low"],
                "test_high": figures["test"]["accuracy_interval"]["high"],
            }
        )
    return pd.DataFrame(rows)


def summary(metrics: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Pick the few figures by which one experiment is told from another."""
    return {
        f"{split}_accuracy": {name: figures[split]["accuracy"] for name, figures in metrics.items()}
        for split in ("val", "test")
    }


def long_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Bring curves into the long form: network, epoch, split, loss, accuracy.

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


def shares(pairs: pd.DataFrame, network: str, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Count one network's answers.

    Parameters
    ----------
    pairs : DataFrame
        network, actual, predicted; a row an image.
    network : str
    names : list of str
        Of the classes.

    Returns
    -------
    counts : int64 (classes, classes)
        A row a true class, a column a prediction.
    shares : float64 (classes, classes)
        Of the images of the true class; 0 where it has none.
    """
    own = pairs[pairs["network"] == network]
    table = pd.crosstab(own["actual"], own["predicted"])
    counts = table.reindex(index=names, columns=names, fill_value=0).to_numpy(np.int64)
    return counts, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def correct(pairs: pd.DataFrame, network: str) -> np.ndarray:
    """Say which images a network classifies correctly, in their order: bool (n,).

    `pairs` is as in `shares`.
    """
    own = pairs[pairs["network"] == network]
    return (own["actual"] == own["predicted"]).to_numpy()


def cells(pairs: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """List every cell of the networks' confusion matrices: images, and share of the true class."""
    rows = []
    for network in pairs["network"].unique():
        counts, share = shares(pairs, network, names)
        for i, j in np.ndindex(counts.shape):
            rows.append((network, names[i], names[j], counts[i, j], share[i, j]))
    return pd.DataFrame(rows, columns=["network", "actual", "predicted", "images", "share"])
