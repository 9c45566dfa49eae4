"""The images of which a network is most confident, rightly and wrongly (questions 1.2 and 1.3)."""

import numpy as np
import pandas as pd

from stages.common.study import GALLERIES


def most_confident(
    probabilities: np.ndarray, labels: np.ndarray, per_class: int = 5, group_by: str = "actual"
) -> tuple[np.ndarray, np.ndarray]:
    """Rank images by the score of the predicted class.

    Parameters
    ----------
    probabilities : float (n, c)
        Softmax scores.
    labels : integers (n,)
        True classes.
    per_class : int
        How many images of each class.
    group_by : "actual" or "predicted"
        The class that a misclassified image is listed under.

    Returns
    -------
    correct, misclassified : int64 (c, per_class)
        Indices of images, a row a class, highest score first, equal scores by index; -1 where a
        class has fewer.

    Raises
    ------
    ValueError
        Shapes do not fit, a score is not finite, or `group_by` is neither of the two.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(
            "probabilities (n, c) and labels (n,) are needed, not "
            f"{probabilities.shape} and {labels.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities hold NaN or infinity")
    if group_by not in ("actual", "predicted"):
        raise ValueError(f"group_by is {group_by!r}: 'actual' or 'predicted' is needed")
    predicted = probabilities.argmax(axis=1)
    # a stable sort keeps equal scores in the order of their indices
    ranking = np.argsort(-probabilities.max(axis=1), kind="stable")
    listed_under = labels if group_by == "actual" else predicted
    galleries = []
    for wanted in (predicted == labels, predicted != labels):
        gallery = np.full((probabilities.shape[1], per_class), -1, np.int64)
        for row, label in zip(gallery, range(len(gallery)), strict=True):
            best = ranking[(wanted & (listed_under == label))[ranking]][:per_class]
            row[: len(best)] = best
        galleries.append(gallery)
    return galleries[0], galleries[1]


def table(
    galleries: tuple[np.ndarray, np.ndarray],
    probabilities: np.ndarray,
    labels: np.ndarray,
    indices: np.ndarray,
    classes: list[str],
) -> pd.DataFrame:
    """List both galleries, a row an image.

    `indices` are the places of the images in the whole data set.

    Returns
    -------
    DataFrame
        gallery, class, rank (from 1), index (in the whole data set), actual, predicted, score.
    """
    rows = []
    for name, gallery in zip(GALLERIES, galleries, strict=True):
        for label, members in enumerate(gallery):
            for rank, i in enumerate(members[members >= 0], start=1):
                predicted = probabilities[i].argmax()
                rows.append(
                    {
                        "gallery": name,
                        "class": classes[label],
                        "rank": rank,
                        "index": indices[i],
                        "actual": classes[labels[i]],
                        "predicted": classes[predicted],
                        "score": probabilities[i, predicted],
                    }
                )
    columns = ["gallery", "class", "rank", "index", "actual", "predicted", "score"]
    return pd.DataFrame(rows, columns=columns)
