"""What the report says, as plain values: tables, answers, diagrams."""

from typing import Any

import torch

from stages.common.networks import ARCHITECTURES, eval_mode
from stages.common.study import GALLERIES, SPLITS
from stages.report import answers
from stages.report.answers import PAIRS, SPLIT_WORDS, chance, measured, percent
from stages.report.layers import Layer, layers
from stages.report.results import Network, Occluded, Pair, Patch, Source, Split

Table = dict[str, list]


def table(head: list[str], rows: list[list[object]]) -> Table:
    """Give a table to the template: text in the first column, numbers or short text in others."""
    return {"head": head, "rows": [[str(cell) for cell in row] for row in rows]}


def overview(networks: list[Network]) -> Table:
    """Compare the networks, last come accuracy on test with its interval, and with TTA, if any."""
    head = ["network", "parameters", "MACs", "kept epoch", "train", "validation", "test"]
    with_tta = all(network.metrics.test.tta_accuracy is not None for network in networks)
    rows = []
    for network in networks:
        m = network.metrics
        rows.append(
            [
                network.title,
                f"{m.parameters:,}",
                f"{m.multiply_accumulates / 1e6:,.0f} M",
                f"{m.best_epoch} of {len(network.history)}",
                percent(m.train.accuracy),
                percent(m.val.accuracy),
                measured(m.test),
                *([percent(m.test.tta_accuracy)] if with_tta else []),
            ]
        )
    return table(head + (["test, TTA"] if with_tta else []), rows)


def pairwise(networks: list[Network], tests: dict[tuple[int, int], Pair]) -> Table:
    """List any two networks with what McNemar's test says of them."""
    rows = [
        [
            f"{networks[i].title} | {networks[j].title}",
            f"{pair.only_first:,}",
            f"{pair.only_second:,}",
            chance(pair.p),
            chance(pair.p_holm),
        ]
        for (i, j), pair in tests.items()
    ]
    return table(["first | second", "only first", "only second", "McNemar", "with Holm"], rows)


def distances(network: Network, classes: list[str]) -> Table:
    """List how differently the errors of each class are spread on any two splits."""
    found = {row[1:4]: row for row in network.distances.itertuples()}
    rows = []
    for name in classes:
        row = [name]
        for pair in PAIRS:
            own = found.get((*pair, name))
            row.append("–" if own is None else f"{own.distance:.2f} ({own.distance_by_chance:.2f})")
        rows.append(row)
    return table(["class", *(" and ".join(SPLIT_WORDS[s] for s in pair) for pair in PAIRS)], rows)


def split_metrics(network: Network) -> Table:
    """List all metrics of a network."""
    head = ["split", "accuracy (95 % interval)", "loss", "macro F1", "calibration error"]
    rows = []
    for split in SPLITS:
        m = getattr(network.metrics, split)
        figures = (m.loss, m.macro_f1, m.expected_calibration_error)
        rows.append([SPLIT_WORDS[split], measured(m), *(f"{figure:.3f}" for figure in figures)])
    return table(head, rows)


def hyperparameters(networks: list[Network]) -> Table:
    """List the resolved hyperparameters, a column a network."""
    keys = dict.fromkeys(key for network in networks for key in network.settings)
    head = ["hyperparameter", *(network.title for network in networks)]
    rows = [[key, *(shown(n.settings.get(key)) for n in networks)] for key in keys]
    return table(head, rows)


def shown(value: Any) -> str:
    """Write the value of a param as in YAML."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def counts(split: Split, classes: list[str]) -> Table:
    """Count the images of each class in each split."""
    rows = [
        [name, *(f"{split.images[s].by_class.get(name, 0):,}" for s in SPLITS)] for name in classes
    ]
    rows.append(["all", *(f"{split.images[s].total:,}" for s in SPLITS)])
    return table(["class", *SPLIT_WORDS.values()], rows)


def recalls(networks: list[Network], classes: list[str]) -> Table:
    """List how often each class is recognised on test, a column a network."""
    rows = []
    for i, name in enumerate(classes):
        row = [name]
        for network in networks:
            images = network.confusion["test"][i]
            row.append(percent(images[i] / images.sum()) if images.sum() else "–")
        rows.append(row)
    return table(["class", *(network.title for network in networks)], rows)


def patch_table(galleries: dict[str, tuple[Occluded, dict[int, Patch]]]) -> Table:
    """List what each size of the patch does."""
    head = ["images", "patch", "largest drop", "answer changes", "rise of the true class"]
    masks = any(images.object_share is not None for images, _ in galleries.values())
    rows = []
    for kind, (_, patches) in galleries.items():
        for size, patch in patches.items():
            row = [
                kind,
                f"{size} px",
                _figure(patch.largest_drop),
                "–" if patch.flip_share is None else percent(patch.flip_share),
                _figure(patch.largest_rise_of_actual),
            ]
            hit = patch.pointing_game
            rows.append(row + (["–" if hit is None else percent(hit)] if masks else []))
    return table(head + (["points at object"] if masks else []), rows)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def layer_table(rows: list[Layer]) -> Table:
    """List layers with shapes and parameters, and their sum."""
    lines = [
        [
            row.name or "–",
            row.operation,
            " × ".join(map(str, row.shape)),
            f"{row.parameters:,}" if row.parameters else "–",
        ]
        for row in rows
    ]
    lines.append(["all", "", "", f"{sum(row.parameters for row in rows):,}"])
    return table(["layer", "operation", "output", "parameters"], lines)


def diagram(rows: list[Layer]) -> list[dict[str, Any]]:
    """Give boxes for the template: one a layer, as high as its maps."""
    return [
        {
            "name": row.name.rpartition(".")[2],
            "operation": row.operation,
            "kind": row.kind,
            "side": row.shape[1] if len(row.shape) == 3 else 0,
            "channels": row.shape[0] if row.shape else 1,
        }
        for row in rows
    ]


def architecture(name: str, classes: int) -> dict[str, Any]:
    """Describe a network: all its layers, its diagram, and that of its first block, if any."""
    network = ARCHITECTURES[name](classes)
    image = torch.zeros(1, 3, 96, 96)
    with eval_mode(network):
        outline = layers(network, image, depth=1)
        block = next((i for i, row in enumerate(outline) if row.kind == "block"), None)
        described = {
            "name": name,
            "layers": layer_table(layers(network, image)),
            "diagram": diagram(outline),
            "block": None,
        }
        if block is not None:
            before = torch.zeros(1, *outline[block - 1].shape)
            module = network.get_submodule(outline[block].name)
            described["block"] = {
                "name": outline[block].operation,
                "diagram": diagram(layers(module, before)),
            }
    return described


def baseline(network: Network) -> float:
    """Give the accuracy on test of always naming the most frequent class of train."""
    most_frequent = network.confusion["train"].sum(axis=1).argmax()
    images = network.confusion["test"].sum(axis=1)
    return float(images[most_frequent] / images.sum())


def describe(
    networks: list[Network],
    test: dict[tuple[int, int], Pair],
    occlusion: tuple[str, dict[str, tuple[Occluded, dict[int, Patch]]]],
    source: Source,
    split: Split,
    groups: dict[str, dict[str, Any]],
    per_class: int,
) -> dict[str, Any]:
    """Put together all that the report says.

    Parameters
    ----------
    networks : list of Network
        In the order of the study, our own last.
    test : dict of (i, j) to Pair
        As `read_pairwise` gives it.
    occlusion : (network, galleries)
        As `read_occlusion` gives it.
    source, split : Source, Split
    groups : dict of str to dict
        The other params that are shown, by group.
    per_class : int
        Images of a class in a gallery.
    """
    classes = source.classes
    names = [network.words for network in networks]
    on_test = [network.metrics.test for network in networks]
    totals = {name: split.images[name].total for name in SPLITS}
    described = {
        network.name: describe_network(network, classes, per_class, groups["evaluate"])
        for network in networks
    }
    own = len(networks) - 1
    lowest = min(network.history["val_accuracy"].max() for network in networks)
    deep, augmented = networks[1:3]
    gaps = [n.metrics.train.accuracy - n.metrics.val.accuracy for n in (deep, augmented)]
    own_first = [networks[own], *networks[:own]]
    better = answers.better(
        names[:own],
        [network.metrics.parameters for network in own_first],
        [answers.epochs_to(network.history, lowest) for network in own_first],
        lowest,
        [network.metrics.test.accuracy for network in own_first],
        [test[i, own] for i in range(own)],
    )

    def versus(first: int, second: int) -> str:
        pair = (names[first], names[second])
        return answers.versus(pair, (on_test[first], on_test[second]), test[first, second])

    occluded, galleries = occlusion
    winner = answers.winner(names, on_test, test)
    shallow = described["q1"]
    return {
        "short_source": answers.SHORT_SOURCES.get(source.source, source.source),
        "short_data": answers.data_short(source.source, totals),
        "short": [
            ["1.1", f"The {names[0]} is right on {measured(on_test[0])} of the test images."],
            ["1.2", shallow["correct_short"]],
            ["1.3", shallow["misclassified_short"]],
            ["1.4", shallow["verdict"]],
            ["2.1", versus(0, 1)],
            ["2.2", versus(1, 2)],
            ["2.3", winner],
            ["3", answers.occlusion_short(*galleries["correct"])],
        ],
        "classes": classes,
        "networks": described,
        "overview": overview(networks),
        "pairwise": pairwise(networks, test),
        "hyperparameters": hyperparameters(networks),
        "recalls": recalls(networks, classes),
        "counts": counts(split, classes),
        "data": answers.data(
            source.source, split.protocol, totals, len(classes), split.duplicates.images
        ),
        "channels": channels(split),
        "deep": f"{versus(0, 1)} {answers.mcnemar((names[0], names[1]), test[0, 1])}",
        "augmentation": answers.augmentation(deep.settings, augmented.settings, tuple(gaps)),
        "augmented": f"{versus(1, 2)} {answers.mcnemar((names[1], names[2]), test[1, 2])}",
        "better": [winner, *better],
        "recall_change": answers.recall_change(
            (names[1], names[own]), deep.confusion["val"], networks[own].confusion["val"], classes
        ),
        "occluded": next(n.words for n in networks if n.name == occluded),
        "occlusion": {
            kind: answers.occlusion(kind, images, patches)
            for kind, (images, patches) in galleries.items()
        },
        "patches": patch_table(galleries),
        "params": {
            group: table(["param", "value"], [[k, shown(v)] for k, v in values.items()])
            for group, values in groups.items()
        },
        "ranks": list(range(2, per_class + 1)),
    }


def describe_network(
    network: Network, classes: list[str], per_class: int, evaluate: dict[str, Any]
) -> dict[str, Any]:
    """Put together what the report says of one network."""
    results = {name: getattr(network.metrics, name) for name in SPLITS}
    verdict, level, shape = answers.confusion(
        results, network.confusion, classes, network.metrics.agreement
    )
    correct, misclassified = (
        network.galleries[network.galleries["gallery"] == kind] for kind in GALLERIES
    )
    group_by = evaluate.get("group_by", "actual")
    learning = answers.learning(
        network.words, network.history, network.metrics.best_epoch, results, baseline(network)
    )
    return {
        "title": network.title,
        "words": network.words,
        "learning": learning,
        "metrics": split_metrics(network),
        "distances": distances(network, classes),
        "verdict": verdict,
        "level": level,
        "shape": shape,
        "correct": answers.gallery_correct(correct, classes, per_class),
        "correct_short": answers.gallery_short("correct", correct),
        "misclassified": answers.gallery_misclassified(misclassified, classes, per_class, group_by),
        "misclassified_short": answers.gallery_short("misclassified", misclassified),
        "architecture": architecture(network.settings["architecture"], len(classes)),
    }


def channels(split: Split) -> Table:
    """List the statistics by which `normalize: channels` works."""
    names = ("red", "green", "blue")
    rows = [
        [name, f"{mean:.4f}", f"{std:.4f}"]
        for name, mean, std in zip(names, split.mean, split.std, strict=True)
    ]
    return table(["channel", "mean", "standard deviation"], rows)
