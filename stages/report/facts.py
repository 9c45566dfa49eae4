"""What the report states, as numbers and verdicts; `report.typ` puts them into words.

A verdict is a plain word such as "above" or "overlap", and each follows from the numbers alone:
what chance could explain is never called a difference. Confusion matrices are integers (c, c), rows
are actual classes; tables are those of `stages.common.tables`. `correct` tells of each split which
images a network classifies correctly: bool (n,).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from stages.common.significance import DIGITS, holm, mcnemar, two_samples
from stages.common.study import SPLITS

LEVEL = 0.05  # below this p, a difference is taken for more than chance
PAIRS = tuple(combinations(SPLITS, 2))
CONFIDENT = 0.9  # score above which an error counts as a confident one
MOST_NAMED = 3  # pairs of classes in one sentence
EPSILON = 1e-9  # numbers that are no further apart are equal

Facts = dict[str, Any]


def relation(difference: float, p: float) -> Facts:
    """Return how a share lies to another one: `verdict` "above", "below" or "unclear", and `p`."""
    p = round(p, DIGITS)
    side = "above" if difference > 0 else "below"
    return {"verdict": side if _beyond_chance(p) else "unclear", "p": p}


def learning(
    history: pd.DataFrame, correct: Mapping[str, np.ndarray], baseline: np.ndarray
) -> Facts:
    """Return how a training went: whether it beats chance, whether it overfits, its losses.

    `baseline` tells which test images one answer for all classifies correctly, see `baseline`.
    """
    share = {split: float(of.mean()) for split, of in correct.items()}
    lowest, last = history.iloc[history["val_loss"].to_numpy().argmin()], history.iloc[-1]
    *_, p = mcnemar(correct["test"], baseline)
    return {
        "epochs": len(history),
        "baseline": float(baseline.mean()),
        "against_baseline": relation(share["test"] - baseline.mean(), p),
        "gap": share["train"] - share["val"],
        **{
            f"train_against_{split}": relation(
                share["train"] - share[split], two_samples(correct["train"], correct[split])
            )
            for split in ("val", "test")
        },
        "lowest_val_loss": {"epoch": int(lowest["epoch"]), "loss": float(lowest["val_loss"])},
        "last_loss": {"train": float(last["train_loss"]), "val": float(last["val_loss"])},
    }


def baseline(actual: Mapping[str, pd.Series], classes: Sequence[str]) -> np.ndarray:
    """Return which test images are of the most frequent class of train: bool (n,).

    `actual` has the names of the true classes of the images of each split.
    """
    frequent = actual["train"].value_counts().reindex(classes, fill_value=0).idxmax()
    return (actual["test"] == frequent).to_numpy()


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


def recall_change(
    before: np.ndarray, after: np.ndarray, actual: np.ndarray, classes: Sequence[str]
) -> Facts:
    """Return which classes the second of two networks recognises more or less often.

    `before` and `after` tell which of the same images each classifies correctly, bool (n,), and
    `actual` has the names of their true classes. McNemar's exact test decides on each class, with
    Holm's correction for all.

    Returns
    -------
    dict
        `more` and `less`: [class, change of its recall] each; `unclear`: how many other classes.
    """
    members = [actual == name for name in classes]
    ps = holm([mcnemar(before[of], after[of])[2] for of in members])
    found: Facts = {"more": [], "less": [], "unclear": 0}
    for name, of, p in zip(classes, members, ps, strict=True):
        if _beyond_chance(round(p, DIGITS)):
            change = float(after[of].mean() - before[of].mean())
            found["more" if change > 0 else "less"].append([name, change])
        else:
            found["unclear"] += 1
    return found


def recalls(counts: np.ndarray) -> list[float | None]:
    """Return which share of each class is recognised; None for one without images."""
    images = counts.sum(axis=1)
    return [
        float(right / count) if count else None
        for right, count in zip(counts.diagonal(), images, strict=True)
    ]


def gap_change(without: Mapping[str, np.ndarray], with_it: Mapping[str, np.ndarray]) -> Facts:
    """Return what becomes of the gap between train and validation from one network to another.

    Each is what `correct` is; both networks are asked for the same images, so what changes is
    compared image by image.
    """
    train, val = (with_it[split].astype(float) - without[split] for split in ("train", "val"))
    gaps = [float(of["train"].mean() - of["val"].mean()) for of in (without, with_it)]
    return {"gaps": gaps} | relation(gaps[1] - gaps[0], two_samples(train, val))


def trend(changes: Sequence[Facts]) -> str:
    """Return the course of a number over the sizes of the patch.

    `changes`, one a step to the next size, tell in how many images it `rises` and `falls`, and `p`.
    """
    signs = {
        np.sign(step["rises"] - step["falls"]) if _beyond_chance(step["p"]) else 0
        for step in changes
    }
    if signs == {1}:
        return "rises"
    if signs == {-1}:
        return "falls"
    return "varies" if signs == {-1, 1} else "unclear"


def occlusion(measured: Facts) -> Facts:
    """Return what hiding parts of the images of one gallery shows.

    Parameters
    ----------
    measured : dict
        One gallery of metrics/occlusion.json.

    Returns
    -------
    dict
        `images`; a row a size in `patches`, smallest first; the `trend` of the largest drop and of
        the flip share; the `agreement` of any two sizes, with those `closest` and `furthest`; the
        same of any two fills in `fills`; and `trust`, see there.
    """
    sizes = sorted(int(key[6:]) for key in measured if key.startswith("patch_"))
    patches = [{"size": size} | measured[f"patch_{size}"] for size in sizes]
    facts: Facts = {"images": measured["images"], "patches": patches}
    if not measured["images"] or not patches:
        return facts
    facts["trend"] = {key: trend(of.values()) for key, of in measured["size_effect"].items()}
    agreement = {
        tuple(map(int, pair.split("_"))): value
        for pair, value in measured["rank_agreement"].items()
    }
    fills = {
        tuple(pair.split("_")): value
        for pair, value in measured["fill_agreement"].items()
        if pair != "patch"
    }
    return (
        facts
        | agreements(dict(sorted(agreement.items())))
        | {
            "fills": {"patch": measured["fill_agreement"]["patch"]} | agreements(fills),
            "trust": trust(measured["deletion"], measured["insertion"]),
        }
    )


def agreements(values: Mapping[tuple, float | None]) -> Facts:
    """Return the rank correlations of pairs of heatmaps, and which pair is most and least alike.

    Returns
    -------
    dict
        `agreement`: [one, other, correlation] each; of several `closest` and `furthest`, a pair.
    """
    known = {pair: value for pair, value in values.items() if value is not None}
    facts: Facts = {"agreement": [[*pair, value] for pair, value in known.items()]}
    if len(known) > 1:
        facts["closest"] = max(known, key=known.__getitem__)
        facts["furthest"] = min(known, key=known.__getitem__)
    return facts


def trust(deletion: Facts, insertion: Facts) -> Facts:
    """Return whether the heatmaps rank the parts of an image better than chance does.

    Returns
    -------
    dict
        `deletion` and `insertion` as measured, each with how its area lies to that of random
        orders, see `relation`; and whether they are `trusted`: the map's order takes the score away
        sooner, and brings it sooner.
    """
    curves = {
        name: of
        | relation(
            of["against_chance"]["rises"] - of["against_chance"]["falls"],
            of["against_chance"]["p"],
        )
        for name, of in (("deletion", deletion), ("insertion", insertion))
    }
    found = [of["verdict"] for of in curves.values()]
    return curves | {"trusted": found == ["below", "above"]}
