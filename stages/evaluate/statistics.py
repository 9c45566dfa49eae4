"""How good a classifier is, in numbers."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from scipy.stats import binomtest
from sklearn.metrics import f1_score, precision_recall_fscore_support

BINS = 15  # of the calibration error, as in Guo et al. 2017
DIGITS = 4  # of every figure that is written


def accuracy_interval(correct: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy (Wilson 1927, without continuity correction)."""
    interval = binomtest(correct, count).proportion_ci(confidence_level=0.95, method="wilson")
    return interval.low, interval.high


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Compare confidence and accuracy in bins of equal width over the confidence 0..1.

    `probabilities` are softmax scores (n, c), `labels` the true classes (n,).

    Returns
    -------
    DataFrame
        A row for each bin that is not empty: low and high (its edges, the lower one excluded),
        images, confidence and accuracy (means over them).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    # bins are open at the left, closed at the right, so that a confidence of 1 is in the last
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    images = np.bincount(bin_of, minlength=bins)
    filled = np.flatnonzero(images)
    means = {
        name: (np.bincount(bin_of, weights=values, minlength=bins)[filled] / images[filled])
        for name, values in (("confidence", confidence), ("accuracy", correct))
    }
    edges = {"low": filled / bins, "high": (filled + 1) / bins}
    return pd.DataFrame(edges | {"images": images[filled]} | means)


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """Return how far confidence and accuracy differ on average (Guo et al. 2017, equation 3).

    Returns
    -------
    float
        Mean over the bins of |accuracy - confidence|, weighted by their images: 0 is best.
    """
    table = reliability(probabilities, labels, bins)
    gaps = np.abs(table["accuracy"] - table["confidence"])
    return float((gaps * table["images"]).sum() / len(labels))


def class_metrics(predicted: np.ndarray, labels: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Measure each class by itself.

    Returns
    -------
    DataFrame
        A row a class: class, images, precision, recall and f1, 0 where a class has no image or no
        prediction.
    """
    precision, recall, f1, images = precision_recall_fscore_support(
        labels, predicted, labels=np.arange(len(classes)), zero_division=0
    )
    columns = {"class": classes, "images": images, "precision": precision, "recall": recall}
    return pd.DataFrame(columns | {"f1": f1})


def split_metrics(
    logits: np.ndarray, labels: np.ndarray, augmented: np.ndarray | None = None
) -> dict[str, object]:
    """Measure one split.

    `logits` are a network's outputs, float (n, c), `augmented` the softmax scores with test-time
    augmentation.

    Returns
    -------
    dict
        `accuracy`, its 95 % interval, `loss` (mean cross-entropy in nats), `macro_f1` and
        `expected_calibration_error`, rounded; with `augmented` also `tta_accuracy`, which no
        other figure takes into account.
    """
    # not of softmax scores: a small one is rounded to nothing, and its loss has no bound
    logarithms = log_softmax(np.asarray(logits, np.float64), axis=1)
    predicted = logarithms.argmax(axis=1)
    classes = np.arange(logits.shape[1])
    correct = int((predicted == labels).sum())
    low, high = accuracy_interval(correct, len(labels))
    metrics = {
        "accuracy": correct / len(labels),
        "loss": -logarithms[np.arange(len(labels)), labels].mean(),
        "macro_f1": f1_score(labels, predicted, labels=classes, average="macro", zero_division=0),
        "expected_calibration_error": expected_calibration_error(np.exp(logarithms), labels),
    }
    if augmented is not None:
        metrics["tta_accuracy"] = (augmented.argmax(axis=1) == labels).mean()
    rounded = {name: round(float(value), DIGITS) for name, value in metrics.items()}
    return rounded | {"accuracy_interval": {"low": round(low, DIGITS), "high": round(high, DIGITS)}}
