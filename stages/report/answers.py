"""The study's questions answered in words that follow from the numbers, whatever they are.

Each function gives one paragraph. A sentence that claims something stands behind a condition; what
chance alone could explain is called so.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stages.common.study import SPLITS
from stages.report.results import Agreement, Measured, Occluded, Pair, Patch

LEVEL = 0.05  # below this p, a difference is taken for more than chance
SPLIT_WORDS = {"train": "train", "val": "validation", "test": "test"}
PAIRS = (("train", "val"), ("train", "test"), ("val", "test"))
MOST_NAMED = 3  # pairs of classes in one sentence
MOST_LISTED = 12  # classes in one sentence
SOURCES = {
    "sample": "pictures that this project draws itself, of the ten classes of STL-10 (they are not "
    "STL-10)",
    "stl10": "STL-10 (Coates, Lee and Ng 2011)",
    "npz": "the course's own file of images",
    "folder": "a folder of images with one subfolder a class",
}
SHORT_SOURCES = {
    "sample": "pictures that the project draws itself",
    "stl10": "STL-10",
    "npz": "the course's images",
    "folder": "a folder of images",
}
PROTOCOLS = {
    "parts": "They are divided at random by seed, class by class, exact duplicates on one side",
    "source": "The division is the source's own",
}


def join(words: Sequence[object]) -> str:
    """Write "a, b and c"."""
    words = [str(word) for word in words]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def percent(share: float) -> str:
    return f"{share:.1%}"


def points(difference: float) -> str:
    """Write a difference of shares, without its sign."""
    return f"{abs(difference) * 100:.1f} points"


def signed(value: float, form: str) -> str:
    """Write a number with its sign, the minus as long as the plus."""
    return f"{value:+{form}}".replace("-", "−")


def chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def number(count: int, word: str, words: str = "") -> str:
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def measured(result: Measured) -> str:
    """Write an accuracy with its interval."""
    interval = result.accuracy_interval
    return f"{percent(result.accuracy)} ({percent(interval.low)} to {percent(interval.high)})"


def data(source: str, protocol: str, totals: dict[str, int], classes: int, repeats: int) -> str:
    """Say what the images are and how they are divided.

    Parameters
    ----------
    source, protocol : str
        As in `source.json` and `statistics.json`.
    totals : dict of str to int
        Images of each split.
    classes : int
    repeats : int
        Images that repeat an earlier one exactly.
    """
    sizes = join([f"{totals[split]:,} {SPLIT_WORDS[split]}" for split in SPLITS])
    duplicates = "no exact duplicate is among them"
    if repeats:
        duplicates = f"{number(repeats, 'image repeats', 'images repeat')} an earlier one exactly"
    return (
        f"The data are {SOURCES.get(source, source)}: {sum(totals.values()):,} colour images of "
        f"96×96 pixels in {number(classes, 'class', 'classes')}. "
        f"{PROTOCOLS.get(protocol, f'They are divided by {protocol}')}: {sizes} images; "
        f"{duplicates}. Mean and standard deviation of the colour channels are those of the "
        "training images alone."
    )


def data_short(source: str, totals: dict[str, int]) -> str:
    """Say the same in a line."""
    sizes = join([f"{totals[split]:,} {SPLIT_WORDS[split]}" for split in SPLITS])
    return f"Data: {SHORT_SOURCES.get(source, source)}, {sizes} images."


def learning(
    name: str,
    history: pd.DataFrame,
    best_epoch: int,
    results: dict[str, Measured],
    baseline: float,
) -> str:
    """Say how a training went: what was kept, how good it is, whether it overfits.

    Parameters
    ----------
    name : str
        Of the network.
    history : DataFrame
        Columns epoch, train_loss, val_loss and the accuracies.
    best_epoch : int
    results : dict of str to Measured
        Of each split, with the weights that were kept.
    baseline : float
        Accuracy on test of always naming the most frequent class of the training images.
    """
    train, val, test = (results[split] for split in SPLITS)
    epochs = len(history)
    text = (
        f"The {name} was trained for {number(epochs, 'epoch')}. Kept are the weights of epoch "
        f"{best_epoch}, chosen by the accuracy on validation. With them it is right on "
        f"{measured(train)} of the training images, {measured(val)} of the validation images and "
        f"{measured(test)} of the test images (in brackets Wilson's 95\u00a0% interval)."
    )
    interval = test.accuracy_interval
    always = f"what always naming the most frequent class would give, {percent(baseline)}"
    if interval.low > baseline:
        text += f" On test that is more than {always}."
    elif interval.high < baseline:
        text += f" On test that is less than {always}."
    else:
        text += f" On test that cannot be told from {always}."
    gap = train.accuracy - val.accuracy
    if train.accuracy_interval.low > val.accuracy_interval.high:
        text += (
            f" It overfits: on train it is {points(gap)} better than on validation, and the "
            "intervals do not overlap."
        )
    elif train.accuracy_interval.high < val.accuracy_interval.low:
        text += f" On validation it is {points(gap)} better than on train, beyond the intervals."
    else:
        text += (
            f" Train and validation are {points(gap)} apart and their intervals overlap: they show "
            "no overfitting."
        )
    if epochs > 1:
        lowest = int(history["val_loss"].to_numpy().argmin())
        last = history.iloc[-1]
        text += (
            f" The loss on validation is lowest after epoch {history['epoch'].iloc[lowest]} "
            f"({history['val_loss'].iloc[lowest]:.3f}); after the last one it is "
            f"{last['val_loss']:.3f}, against {last['train_loss']:.3f} on train."
        )
    return text


def gallery_correct(table: pd.DataFrame, classes: list[str], per_class: int) -> str:
    """Say what the gallery of question 1.2 shows.

    Parameters
    ----------
    table : DataFrame
        Rows of that gallery: class, rank, score.
    """
    if table.empty:
        return "No validation image is classified correctly: the gallery is empty."
    best = table[table["rank"] == 1].sort_values("score", kind="stable")
    text = (
        f"The picture shows {number(len(table), 'image')}, {_per_class(per_class)}. Their scores "
        f"go from {table['score'].min():.3f} to {table['score'].max():.3f}. "
        f"{_missing(table, classes, per_class, 'classified correctly')}"
    )
    if len(best) > 1:
        lowest, highest = best.iloc[0], best.iloc[-1]
        text += (
            f" The first image of a class scores {highest['score']:.3f} at best "
            f"({highest['class']}) and {lowest['score']:.3f} at least ({lowest['class']})."
        )
    return text


def gallery_misclassified(
    table: pd.DataFrame, classes: list[str], per_class: int, group_by: str
) -> str:
    """Say what the gallery of question 1.3 shows.

    Parameters
    ----------
    table : DataFrame
        Rows of that gallery: class, rank, actual, predicted, score.
    group_by : "actual" or "predicted"
        The class that an image is listed under.
    """
    if table.empty:
        return "No validation image is misclassified: the gallery is empty."
    listed = "true" if group_by == "actual" else "predicted"
    top = table.sort_values("score", ascending=False, kind="stable").iloc[0]
    above = int((table["score"] > 0.9).sum())
    text = (
        f"The picture shows {number(len(table), 'image')}, {_per_class(per_class)}, listed under "
        f"the {listed} class. {_missing(table, classes, per_class, 'misclassified')} The network "
        f"is most certain of an error with {top['score']:.3f}, {top['actual']} taken for "
        f"{top['predicted']}; {above:,} of the {len(table):,} errors shown score above 0.9. "
    )
    pairs = table.groupby(["actual", "predicted"], sort=False).size()
    pairs = pairs.sort_values(ascending=False, kind="stable")
    most = int(pairs.iloc[0])
    if most == 1:
        return text + "No class is taken for the same other one twice among them."
    named = [f"{a} taken for {p}" for (a, p), count in pairs.items() if count == most]
    more = f" and {len(named) - MOST_NAMED} others" if len(named) > MOST_NAMED else ""
    return text + f"Most frequent, {most} times each: {join(named[:MOST_NAMED])}{more}."


def _per_class(per_class: int) -> str:
    return f"for each class at most the {per_class} of which the network is most confident"


def gallery_short(kind: str, table: pd.DataFrame) -> str:
    """Say how many images a gallery has, and how sure the network is of them."""
    if table.empty:
        return f"No validation image is {kind}."
    lowest, highest = table["score"].min(), table["score"].max()
    images = number(len(table), f"{kind} image")
    return f"The gallery has {images}, with scores of {lowest:.3f} to {highest:.3f}."


def _missing(table: pd.DataFrame, classes: list[str], per_class: int, what: str) -> str:
    counts = table.groupby("class").size().reindex(classes, fill_value=0)
    few = counts[counts < per_class]
    if few.empty:
        return f"Every class has {per_class} images that are {what}."
    text = f"Fewer than {per_class} are {what} in {number(len(few), 'class', 'classes')}"
    if len(few) > MOST_LISTED:
        return f"{text}, none at all in {(few == 0).sum()}."
    named = [f"{name} ({count or 'none'})" for name, count in few.items()]
    return f"{text}: {join(named)}."


def confusion(
    results: dict[str, Measured],
    counts: dict[str, np.ndarray],
    classes: list[str],
    agreement: dict[str, Agreement],
) -> tuple[str, str, str]:
    """Say whether the confusion matrices of train, validation and test follow one pattern.

    Parameters
    ----------
    results : dict of str to Measured
        Of each split.
    counts : dict of str to integers (c, c)
    classes : list of str
    agreement : dict of "<split>_<split>" to Agreement
        Of each of `PAIRS`.

    Returns
    -------
    verdict, level, shape : str
    """
    found = {pair: agreement["_".join(pair)] for pair in PAIRS}
    # the test is one-sided, so the correlation is positive
    shared = [pair for pair, of in found.items() if of.rank_p is not None and of.rank_p < LEVEL]
    names = {pair: f"{SPLIT_WORDS[pair[0]]} and {SPLIT_WORDS[pair[1]]}" for pair in PAIRS}
    if len(shared) == len(PAIRS):
        verdict = "Yes: on all three splits similar pairs of classes are mixed."
    elif shared:
        verdict = (
            f"In part: similar pairs of classes are mixed on {'; on '.join(map(names.get, shared))}"
            "; for the rest this cannot be shown."
        )
    else:
        verdict = "It cannot be shown that any two of the splits mix similar pairs of classes."
    train, test = results["train"].accuracy_interval, results["test"].accuracy_interval
    wrong = [
        f"{_errors(counts[split]):,} of {counts[split].sum():,} images on {SPLIT_WORDS[split]}"
        for split in SPLITS
    ]
    level = f"Misclassified are {join(wrong)}. "
    if train.low > test.high:
        level += "The level of train is better than that of test beyond the intervals."
    elif train.high < test.low:
        level += "The level of test is better than that of train beyond the intervals."
    else:
        level += "The intervals of train and test overlap: their level is not shown to differ."
    parts = []
    for pair, of in found.items():
        if of.rank_correlation is None or of.rank_p is None:
            errors = [f"{number(_errors(counts[s]), 'error')} on {SPLIT_WORDS[s]}" for s in pair]
            parts.append(f"{names[pair]} cannot be compared ({join(errors)})")
        else:
            correlation = signed(of.rank_correlation, ".2f")
            parts.append(f"{names[pair]} {correlation} ({chance(of.rank_p)})")
    shape = (
        "Apart from the level, the shape of two matrices is compared by Spearman's rank "
        f"correlation of the shares off the diagonal: {'; '.join(parts)}; p is that of Mantel's "
        f"permutation test. {_spread(found, names)}"
    )
    mixed = [
        f"On {SPLIT_WORDS[split]} {most_mixed(counts[split], classes)}" for split in ("val", "test")
    ]
    return verdict, level, shape + ". ".join(mixed) + "."


def _spread(found: dict[tuple[str, str], Agreement], names: dict[tuple[str, str], str]) -> str:
    """Say if the errors of a class are spread over the others as differently as chance would do."""
    measured = {pair: of for pair, of in found.items() if of.error_distance is not None}
    if not measured:
        return ""
    parts = [
        f"{names[pair]} {of.error_distance:.2f} (by chance {of.error_distance_by_chance:.2f}, "
        f"{chance(of.error_distance_p)})"
        for pair, of in measured.items()
    ]
    text = (
        "What the misclassified images of a class are taken for differs between two splits by a "
        f"Jensen-Shannon distance, on average over the classes, of: {'; '.join(parts)}. "
    )
    beyond = [names[pair] for pair, of in measured.items() if of.error_distance_p < LEVEL]
    if beyond:
        return text + f"Beyond chance the spread differs between {'; between '.join(beyond)}. "
    return text + "None of these is more than the same errors dealt at random would give. "


def _errors(counts: np.ndarray) -> int:
    return int(counts.sum() - counts.trace())


def mixed_pairs(counts: np.ndarray) -> list[tuple[int, int, int]]:
    """List pairs of classes by how many images of either are taken for the other.

    Parameters
    ----------
    counts : integers (c, c)

    Returns
    -------
    list of (class, class, errors)
        Most errors first, equal ones in the order of the classes; pairs without error are left out.
    """
    both = counts + counts.T
    pairs = [(i, j, int(both[i, j])) for i, j in zip(*np.triu_indices(len(both), 1), strict=True)]
    pairs = [(int(i), int(j), errors) for i, j, errors in pairs if errors]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))


def most_mixed(counts: np.ndarray, classes: list[str]) -> str:
    """Name the pairs of classes that are taken for one another most often."""
    pairs = mixed_pairs(counts)
    if not pairs:
        return "no two classes are mixed"
    named = [f"{classes[i]} and {classes[j]} ({errors})" for i, j, errors in pairs[:MOST_NAMED]]
    ties = sum(errors == pairs[:MOST_NAMED][-1][2] for _, _, errors in pairs[MOST_NAMED:])
    as_often = f", and {ties} more as often as the last" if ties else ""
    return f"most often mixed are {'; '.join(named)} images taken for the other{as_often}"


def versus(names: tuple[str, str], results: tuple[Measured, Measured], test: Pair) -> str:
    """Say which of two networks is better on the same test images, and if chance could do it.

    Parameters
    ----------
    names : two str
    results : two Measured
        On test.
    test : Pair
    """
    (first, second), (one, other) = names, results
    if test.only_first == test.only_second:
        how = f"as often as the {first}"
    else:
        word = "better" if test.only_second > test.only_first else "worse"
        how = f"{points(other.accuracy - one.accuracy)} {word} than the {first}"
    beyond = "beyond chance" if test.p_holm < LEVEL else "which could be chance"
    return f"The {second} is right on {measured(other)} of the test images, {how}, {beyond}."


def mcnemar(names: tuple[str, str], test: Pair) -> str:
    """Say what that rests on."""
    return (
        f"Only the {names[1]} is right on {number(test.only_second, 'test image')}, only the "
        f"{names[0]} on {test.only_first:,}; McNemar's exact test gives {chance(test.p_holm)}, "
        "corrected by Holm for all pairs of networks."
    )


def augmentation(plain: dict, augmented: dict, gaps: tuple[float, float]) -> str:
    """Say what was changed from the plain training, and what it did to overfitting.

    Parameters
    ----------
    plain, augmented : dict
        Hyperparameters of both trainings.
    gaps : two floats
        Accuracy on train less that on validation, of both.
    """
    shown = augmented.get
    parts = [
        f"a horizontal flip with probability {shown('flip')}" if shown("flip") else "",
        f"a random crop after padding by {shown('crop')} pixels" if shown("crop") else "",
        f"a rotation by up to {shown('rotate')} degrees" if shown("rotate") else "",
        f"brightness, contrast and saturation changed by up to {shown('color')}"
        if shown("color")
        else "",
        f"a square of {shown('erase')} pixels painted over" if shown("erase") else "",
        f"brought nearer or further by up to {percent(shown('zoom'))}" if shown("zoom") else "",
        f"with probability {shown('cutmix')} a part replaced by that of another image, which then "
        "has its share of the label"
        if shown("cutmix")
        else "",
    ]
    parts = [part for part in parts if part]
    text = "No augmentation is switched on in this run. "
    if parts:
        text = f"Each image is changed anew in each epoch: {join(parts)}. "
    if shown("normalize") == "channels":
        text += (
            "Each channel is brought to mean 0 and standard deviation 1 of the training images. "
        )
    else:
        text += "The channels are not normalised by their statistics in this run. "
    drawn = {"flip", "crop", "rotate", "color", "erase", "zoom", "cutmix", "normalize"}
    other = [
        f"{key} ({plain.get(key)} without, {augmented.get(key)} with)"
        for key in dict.fromkeys([*plain, *augmented])
        if key not in drawn and plain.get(key) != augmented.get(key)
    ]
    if other:
        text += f"The two trainings also differ in {join(other)}. "
    without, with_it = gaps
    change = "smaller than" if with_it < without else "larger than"
    if f"{with_it:.3f}" == f"{without:.3f}":
        change = "the same as"
    return text + (
        "Train accuracy less validation accuracy is "
        f"{signed(with_it * 100, '.1f')} points, {change} the "
        f"{signed(without * 100, '.1f')} points without."
    )


def epochs_to(history: pd.DataFrame, accuracy: float) -> int | None:
    """Find the first epoch after which the accuracy on validation is at least this."""
    reached = history[history["val_accuracy"] >= accuracy - 1e-9]
    return int(reached["epoch"].iloc[0]) if len(reached) else None


def better(
    others: Sequence[str],
    parameters: Sequence[int],
    epochs: Sequence[int | None],
    accuracy: float,
    accuracies: Sequence[float],
    tests: Sequence[Pair],
) -> tuple[str, str, str]:
    """Say in what our own network is better: parameters, convergence, accuracy.

    Parameters
    ----------
    others : list of str
        Names of the networks that it is compared with.
    parameters : list of int
        Of ours, then of the others.
    epochs : list of int or None
        Until `accuracy` on validation is reached, of ours, then of the others.
    accuracy : float
    accuracies : list of float
        On test, of ours, then of the others.
    tests : list of Pair
        Of each of the others and ours.

    Returns
    -------
    parameters, convergence, accuracy : str
    """
    size = f"Parameters: {parameters[0]:,}. " + _against(
        others, [parameters[0] - other for other in parameters[1:]], "fewer than", "more than"
    )
    ours, *theirs = epochs
    reach = f"Convergence: {percent(accuracy)} on validation, which all four reach, it has"
    speed = f"{reach} after {number(ours or 0, 'epoch')}. " + _against(
        others, [(ours or 0) - (other or 0) for other in theirs], "earlier than", "later than"
    )
    won = f"Accuracy: it is right on {percent(accuracies[0])} of the test images. " + _against(
        others,
        [other - accuracies[0] for other in accuracies[1:]],
        "more than",
        "less than",
    )
    pairs = zip(others, tests, strict=True)
    beyond = [f"the {name}" for name, pair in pairs if pair.p_holm < LEVEL]
    how = "(McNemar's exact test with Holm's correction)"
    if len(beyond) == len(others):
        won += f" Each of these differences is beyond chance {how}."
    elif beyond:
        won += f" Beyond chance {how} is the difference to {join(beyond)}."
    else:
        won += f" None of these differences is beyond chance {how}."
    return size, speed, won


def _against(names: Sequence[str], differences: Sequence[float], less: str, more: str) -> str:
    """Sort networks by the sign of a difference: "That is fewer than a and b, more than c."."""
    names = [f"the {name}" for name in names]
    groups = {
        less: [n for n, d in zip(names, differences, strict=True) if d < -1e-9],
        "the same as": [n for n, d in zip(names, differences, strict=True) if abs(d) <= 1e-9],
        more: [n for n, d in zip(names, differences, strict=True) if d > 1e-9],
    }
    parts = [f"{word} {join(group)}" for word, group in groups.items() if group]
    return f"That is {', '.join(parts)}."


def recall_change(
    names: tuple[str, str], before: np.ndarray, after: np.ndarray, classes: list[str]
) -> str:
    """Say for which classes the second network is better on validation, from confusion counts.

    Parameters
    ----------
    names : two str
    before, after : integers (c, c)
        Confusion matrices of the same images.
    """
    images = np.maximum(before.sum(axis=1), 1)
    change = (after.diagonal() - before.diagonal()) / images
    up, down = int((change > 0).sum()), int((change < 0).sum())
    text = (
        f"The confusion matrices of validation show where: of {len(classes)} classes the "
        f"{names[1]} recognises {up} more often than the {names[0]}, {down} less often and "
        f"{len(classes) - up - down} as often."
    )
    if up:
        best = int(change.argmax())
        text += f" The largest gain is {classes[best]}, {signed(change[best] * 100, '.1f')} points."
    if down:
        worst = int(change.argmin())
        text += (
            f" The largest loss is {classes[worst]}, {signed(change[worst] * 100, '.1f')} points."
        )
    mixed = most_mixed(after, classes)
    return text + f" {mixed[0].upper()}{mixed[1:]} with the {names[1]}."


def winner(
    names: Sequence[str], results: Sequence[Measured], tests: dict[tuple[int, int], Pair]
) -> str:
    """Say which network is best on test, and by how much.

    Parameters
    ----------
    names : list of str
    results : list of Measured
        On test.
    tests : dict of (i, j) to Pair
        Of two networks by their places, i < j.
    """
    order = sorted(range(len(names)), key=lambda i: -results[i].accuracy)
    best, second = order[:2]
    if results[best].accuracy == results[second].accuracy:
        tied = [f"the {names[i]}" for i in order if results[i].accuracy == results[best].accuracy]
        return f"Equally good on test are {join(tied)}: {measured(results[best])}."
    p = tests[min(best, second), max(best, second)].p_holm
    verdict = "beyond chance" if p < LEVEL else "which could be chance"
    gap = results[best].accuracy - results[second].accuracy
    return (
        f"The {names[best]} is best on test with {measured(results[best])}, {points(gap)} before "
        f"the {names[second]}, {verdict} ({chance(p)})."
    )


def trend(values: Sequence[float]) -> str:
    """Name the course of a number over the sizes of the patch."""
    steps = np.diff(values)
    if (steps > 0).all():
        return "rises with the size of the patch"
    if (steps < 0).all():
        return "falls with the size of the patch"
    return "goes up and down with the size" if steps.any() else "is the same for every size"


def occlusion_short(images: Occluded, patches: dict[int, Patch]) -> str:
    """Say in a line what the size of the patch does to the score."""
    if not images.images or not patches:
        return "There is no image to occlude."
    drops = _fixed([patch.largest_drop or 0.0 for patch in patches.values()])
    return (
        f"Patches of {join(list(patches))} pixels lower the score of a correct answer by {drops} "
        "at the worst place, on average over the images."
    )


def occlusion(kind: str, images: Occluded, patches: dict[int, Patch]) -> list[str]:
    """Say what the size of the patch does to the heatmaps of one gallery.

    Parameters
    ----------
    kind : "correct" or "misclassified"
    images : Occluded
    patches : dict of int to Patch
        Smallest first.

    Returns
    -------
    list of str
        Paragraphs.
    """
    if not images.images or not patches:
        return [f"There is no {kind} image to occlude."]
    sizes = list(patches)
    # a course is that of the numbers as they are written
    drops = [round(patches[size].largest_drop or 0.0, 2) for size in sizes]
    flips = [round(patches[size].flip_share or 0.0, 3) for size in sizes]
    text = (
        f"Over the {number(images.images, f'{kind} image')}, the score of the predicted class "
        f"falls by {_fixed(drops)} on average where hiding lowers it most, for patches of "
        f"{join(sizes)} pixels"
    )
    text += f"; the drop {trend(drops)}. " if len(sizes) > 1 else ". "
    text += (
        "The share of positions at which the network changes its answer is "
        f"{join([percent(flip) for flip in flips])}"
    )
    text += f"; it {trend(flips)}." if len(sizes) > 1 else "."
    paragraphs = [text]
    hits = {size: patches[size].pointing_game for size in sizes}
    if images.object_share is not None and all(hit is not None for hit in hits.values()):
        best = [size for size in sizes if hits[size] == max(hits.values())]
        text = (
            "The centre of the worst position lies on the object itself for "
            f"{join([percent(hit) for hit in hits.values()])} of the images; a place at random "
            f"would for {percent(images.object_share)}."
        )
        if len(sizes) > 1:
            text += f" It points at the object most often with {join(best)} pixels."
        paragraphs.append(text)
    agreement = {
        pair: value for pair, value in sorted(images.rank_agreement.items()) if value is not None
    }
    if agreement:
        pairs = sorted(agreement, key=lambda pair: [int(size) for size in pair.split("_")])
        named = [
            f"{signed(agreement[p], '.2f')} for {p.replace('_', ' and ')} pixels" for p in pairs
        ]
        text = (
            "How far two sizes agree on what matters, as the mean rank correlation of the two maps "
            f"of an image: {join(named)}."
        )
        if len(agreement) > 1:
            closest = max(pairs, key=agreement.__getitem__).replace("_", " and ")
            furthest = min(pairs, key=agreement.__getitem__).replace("_", " and ")
            text += f" The maps of {closest} pixels are most alike, those of {furthest} least."
        paragraphs.append(text)
    if kind == "misclassified":
        rises = [signed(patches[size].largest_rise_of_actual or 0.0, ".2f") for size in sizes]
        paragraphs.append(
            "Where hiding helps the true class most, its score changes by "
            f"{join(rises)} on average."
        )
    return paragraphs


def _fixed(values: Sequence[float]) -> str:
    return join([f"{value:.2f}".replace("-", "−") for value in values])
