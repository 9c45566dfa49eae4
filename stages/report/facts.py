"""What the report states, as numbers and verdicts; `report.typ` puts them into words.

A verdict is a plain word such as "above" or "overlap", and each follows from the numbers alone:
what chance could explain is never called a difference. Confusion matrices are integers (c, c), rows
are actual classes; tables are those of `stages.common.tables`.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from stages.common.study import SPLITS

LEVEL = 0.05  # below this p, a difference is taken for more than chance
PAIRS = tuple(combinations(SPLITS, 2))
CONFIDENT = 0.9  # score above which an error counts as a confident one
MOST_NAMED = 3  # pairs of classes in one sentence
EPSILON = 1e-9  # numbers that are no further apart are equal

Facts = dict[str, Any]


def relation(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """Return whether an interval lies "above" or "below" another one, or they "overlap"."""
    if first["low"] > second["high"]:
        return "above"
    return "below" if first["high"] < second["low"] else "overlap"


def learning(history: pd.DataFrame, metrics: Facts, baseline: float) -> Facts:
    """Return how a training went: whether it beats chance, whether it overfits, its losses.

    `metrics` has accuracy and accuracy_interval of each split, `baseline` is what always naming
    the most frequent class of the training images would give on test.
    """
    intervals = {split: metrics[split]["accuracy_interval"] for split in SPLITS}
    lowest, last = history.iloc[history["val_loss"].to_numpy().argmin()], history.iloc[-1]
    return {
        "epochs": len(history),
        "baseline": baseline,
        "against_baseline": relation(intervals["test"], {"low": baseline, "high": baseline}),
        "gap": metrics["train"]["accuracy"] - metrics["val"]["accuracy"],
        "train_against_val": relation(intervals["train"], intervals["val"]),
        "train_against_test": relation(intervals["train"], intervals["test"]),
        "lowest_val_loss": {"epoch": int(lowest["epoch"]), "loss": float(lowest["val_loss"])},
        "last_loss": {"train": float(last["train_loss"]), "val": float(last["val_loss"])},
    }


def baseline(counts: Mapping[str, np.ndarray]) -> float:
    """Return the accuracy on test of always naming the most frequent class of train.

    `counts` are the confusion matrices of the splits, integers (c, c).
    """
    images = counts["test"].sum(axis=1)
    return float(images[counts["train"].sum(axis=1).argmax()] / images.sum())


def gallery(table: pd.DataFrame, classes: Sequence[str], per_class: int) -> Facts:
    """Return what a gallery shows: how many images, their scores, which classes have fewer."""
    facts: Facts = {"images": len(table)}
    if table.empty:
        return facts
    counts = table.groupby("class").size().reindex(classes, fill_value=0)
    columns = ["actual", "predicted", "score"]
    ranked = table.sort_values("score", ascending=False, kind="stable")[columns]
    firsts = table[table["rank"] == 1].sort_values("score", kind="stable")[["class", "score"]]
    pairs = table.groupby(["actual", "predicted"], sort=False).size()
    most = int(pairs.max())
    return facts | {
        "lowest": float(table["score"].min()),
        "highest": float(table["score"].max()),
        "few": [[name, int(count)] for name, count in counts.items() if count < per_class],
        "best_class": firsts.iloc[-1].to_dict(),
        "worst_class": firsts.iloc[0].to_dict(),
        "top": ranked.iloc[0].to_dict(),
        "confident": int((table["score"] > CONFIDENT).sum()),
        "most_frequent": most,
        "frequent": [list(pair) for pair, count in pairs.items() if count == most],
    }


def pattern(agreement: Facts, counts: Mapping[str, np.ndarray], classes: Sequence[str]) -> Facts:
    """Return whether the confusion matrices of a network's splits follow one pattern."""
    pairs = [{"splits": pair} | agreement["_".join(pair)] for pair in PAIRS]
    # the permutation test is one-sided, so a correlation that it finds is positive
    shared = [pair["splits"] for pair in pairs if _beyond_chance(pair["rank_p"])]
    return {
        "shared": shared,
        "all_shared": len(shared) == len(PAIRS),
        "pairs": pairs,
        "spread_differs": [p["splits"] for p in pairs if _beyond_chance(p["error_distance_p"])],
        "images": {split: int(counts[split].sum()) for split in SPLITS},
        "errors": {split: int(counts[split].sum() - counts[split].trace()) for split in SPLITS},
        "mixed": {split: mixed(counts[split], classes) for split in SPLITS},
    }


def _beyond_chance(p: float | None) -> bool:
    return p is not None and p < LEVEL


def mixed(counts: np.ndarray, classes: Sequence[str]) -> Facts:
    """Return the pairs of classes that are taken for one another most often.

    Returns
    -------
    dict
        `pairs`: at most three of [class, class, errors in both directions], most errors first,
        equal ones in the order of the classes; `ties`: how many more have as many errors as the
        last.
    """
    both = counts + counts.T
    pairs = [(i, j) for i, j in combinations(range(len(counts)), 2) if both[i, j]]
    pairs.sort(key=lambda pair: (-both[pair], pair))
    named, others = pairs[:MOST_NAMED], pairs[MOST_NAMED:]
    return {
        "pairs": [[classes[i], classes[j], int(both[i, j])] for i, j in named],
        "ties": len([pair for pair in others if both[pair] == both[named[-1]]]),
    }


def comparison(names: Sequence[str], accuracy: Sequence[float], test: Facts) -> Facts:
    """Return which of two networks is better on the same test images, and if chance could do it.

    Parameters
    ----------
    names : two names
    accuracy : two floats
    test : dict
        only_first, only_second (images that one alone classifies correctly), p, p_holm.

    Returns
    -------
    dict
        `verdict` of the second one: "better", "worse" or "equal"; `beyond_chance`; `difference`.
    """
    more = test["only_second"] - test["only_first"]
    verdict = "equal" if not more else "better" if more > 0 else "worse"
    return test | {
        "networks": list(names),
        "verdict": verdict,
        "beyond_chance": _beyond_chance(test["p_holm"]),
        "difference": accuracy[1] - accuracy[0],
    }


def best(accuracy: Mapping[str, float], tests: Mapping[frozenset, Facts]) -> Facts:
    """Return the best network on test, or those that are equally good, and the next one.

    `tests` has the p_holm of any two networks.
    """
    order = sorted(accuracy, key=lambda name: -accuracy[name])
    winners = [name for name in order if accuracy[name] == accuracy[order[0]]]
    facts: Facts = {"networks": winners}
    if len(winners) == 1:
        p = tests[frozenset(order[:2])]["p_holm"]
        facts |= {"next": order[1], "difference": accuracy[order[0]] - accuracy[order[1]]}
        facts |= {"p": p, "beyond_chance": _beyond_chance(p)}
    return facts


def epochs_to(history: pd.DataFrame, accuracy: float) -> int | None:
    """Return the first epoch after which the accuracy on validation is at least this, or None."""
    reached = history[history["val_accuracy"] >= accuracy - EPSILON]
    return int(reached["epoch"].iloc[0]) if len(reached) else None


def against(own: float, others: Mapping[str, float]) -> Facts:
    """Sort other networks by whether a number of ours is "less", the "same" or "more"."""
    found: Facts = {"less": [], "same": [], "more": []}
    for name, other in others.items():
        same = abs(own - other) <= EPSILON
        found["same" if same else "less" if own < other else "more"].append(name)
    return found


def recall_change(before: np.ndarray, after: np.ndarray, classes: Sequence[str]) -> Facts:
    """Return for which classes the second of two networks is better.

    `before` and `after` are their confusion matrices of the same images, integers (c, c).
    """
    change = (after.diagonal() - before.diagonal()) / np.maximum(before.sum(axis=1), 1)
    gain, loss = int(change.argmax()), int(change.argmin())
    return {
        "more": int((change > 0).sum()),
        "less": int((change < 0).sum()),
        "same": int((change == 0).sum()),
        "largest_gain": [classes[gain], float(change[gain])],
        "largest_loss": [classes[loss], float(change[loss])],
        "mixed": mixed(after, classes),
    }


def recalls(counts: np.ndarray) -> list[float | None]:
    """Return which share of each class is recognised; None for one without images."""
    images = counts.sum(axis=1)
    return [
        float(right / count) if count else None
        for right, count in zip(counts.diagonal(), images, strict=True)
    ]


def overfitting_change(without: float, with_it: float) -> str:
    """Return whether a gap between train and validation became "smaller", "larger" or the "same".

    The numbers are compared as they are written, in tenths of a percentage point.
    """
    difference = round(with_it, 3) - round(without, 3)
    if abs(difference) < EPSILON:
        return "same"
    return "smaller" if difference < 0 else "larger"


def trend(values: Sequence[float]) -> str:
    """Return the course of a number over the sizes of the patch."""
    steps = np.diff(values)
    if (steps > 0).all():
        return "rises"
    if (steps < 0).all():
        return "falls"
    return "varies" if steps.any() else "same"


def occlusion(measured: Facts) -> Facts:
    """Return what the size of the patch does to the heatmaps of one gallery.

    Parameters
    ----------
    measured : dict
        One gallery of metrics/occlusion.json.

    Returns
    -------
    dict
        `images`; a row a size in `patches`, smallest first; the `trend` of the largest drop and of
        the flip share; the `agreement` of any two sizes, with those `closest` and `furthest`.
    """
    sizes = sorted(int(key[6:]) for key in measured if key.startswith("patch_"))
    patches = [{"size": size} | measured[f"patch_{size}"] for size in sizes]
    facts: Facts = {"images": measured["images"], "patches": patches}
    if not measured["images"] or not patches:
        return facts
    # a course is that of the numbers as they are written
    facts["trend"] = {
        key: trend([round(patch[key], digits) for patch in patches])
        for key, digits in (("largest_drop", 2), ("flip_share", 3))
    }
    agreement = {
        tuple(map(int, pair.split("_"))): value
        for pair, value in measured["rank_agreement"].items()
        if value is not None
    }
    facts["agreement"] = [[*pair, value] for pair, value in sorted(agreement.items())]
    if len(agreement) > 1:
        facts["closest"] = max(sorted(agreement), key=agreement.__getitem__)
        facts["furthest"] = min(sorted(agreement), key=agreement.__getitem__)
    return facts
