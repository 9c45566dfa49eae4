"""Write the study as a PDF: read what the stages wrote, work out the facts, typeset them."""

from importlib import metadata
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from stages.common import confusion
from stages.common.base import files, fingerprint
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS, SPLITS
from stages.common.tables import evaluation as tables
from stages.common.tables.rows import least_recognised
from stages.common.tables.training import HISTORY
from stages.report import facts, typeset
from stages.report.checksums import md5
from stages.report.layers import architecture
from stages.report.naming import stem
from stages.report.params import Report

OUT = "report"
PROJECT = Path(__file__).parents[2]
# printed as it stands
CODE = ("stages/common/networks.py", "stages/train/loop.py", "stages/train/batches.py")
CODE += ("stages/train/augmentation.py", "stages/train/cutmix.py")
# what the report is made of, in the order of the pipeline
READ = ("data/raw", "data/split", *(f"models/{name}" for name in NETWORKS))
READ += (*(f"metrics/{name}.json" for name in NETWORKS), *(f"plots/{name}" for name in NETWORKS))
READ += ("metrics/pairwise.json", "metrics/occlusion.json")
READ += ("plots/occlusion", "plots/split", "plots/compare")
# pictures besides those of one network
PICTURES = ("split/contact_sheet", "compare/curves", "compare/cost", "compare/classes")
PICTURES += ("compare/reliability", "augment/augmented")
PICTURES += ("occlusion/patches", "occlusion/fills", "occlusion/insertion_deletion")
PICTURES += tuple(f"compare/difference_{pair}" for pair in map("_".join, pairwise(NETWORKS)))


def report(author: Report, settings: dict[str, dict], groups: dict[str, dict]) -> None:
    """Write `report/<name>.pdf`.

    Raises
    ------
    InputError
        What an earlier stage wrote is missing, or lacks something.
    """
    versions = fingerprint.record(typst=metadata.version("typst"))
    try:
        content = results(settings)
    except KeyError as error:
        raise InputError(
            f"the results of the earlier stages lack {error}: run `dvc checkout` to restore them, "
            "or `dvc repro -f` to make them anew"
        ) from None
    content["author"] = author.model_dump()
    content["params"] = shown(groups)
    packages = ("python", *fingerprint.PACKAGES, "typst")
    content["versions"] = [[name, versions[name]] for name in packages]
    # of Python's the last number is left out: it changes no result, so it must not change this one
    content["versions"][0][1] = versions["python"].rpartition(".")[0]
    content["checksums"] = [[path, md5(path)] for path in READ]

    pictures = {name: Path(f"plots/{name}.png").read_bytes() for name in picture_names()}
    code = {path: (PROJECT / path).read_text(encoding="utf-8") for path in CODE}
    document = typeset.pdf(content, pictures, code)
    name = f"{stem(author.author, author.student_number)}.pdf"
    with files.new_folder(OUT) as folder:
        files.write_bytes(folder / name, document)
    log(f"{OUT}/{name}: {len(document) / 1e6:.1f} MB")


def shown(groups: dict[str, dict]) -> dict[str, dict]:
    """Return the params without the folders in which the user's data lie."""
    download = dict(groups["download"])
    if download.get("path"):
        # where a file lies says nothing of the study, and may say much of its owner
        download["path"] = Path(download["path"]).name
    return groups | {"download": download}


def picture_names() -> list[str]:
    """Return all pictures of the report, as they are called below plots/."""
    kinds = ("curves", *(f"confusion_{split}" for split in SPLITS))
    kinds += tuple(f"gallery_{gallery}" for gallery in GALLERIES)
    names = [f"{name}/{kind}" for name in NETWORKS for kind in kinds]
    ranks = range(1, PER_CLASS + 1)
    return [*names, *(f"occlusion/{g}_{rank}" for g in GALLERIES for rank in ranks), *PICTURES]


def results(settings: dict[str, dict]) -> dict[str, Any]:
    """Read what the earlier stages wrote; return what the report states, as plain values."""
    source = files.read_json("data/raw/source.json")
    split = files.read_json("data/split/statistics.json")
    occluded = files.read_json("metrics/occlusion.json")
    classes = source["classes"]
    networks = {name: read_network(name, classes) for name in NETWORKS}
    measured = files.read_csv("plots/compare/classes.csv", tables.CLASSES)
    listed = least_recognised(measured[measured["split"] == "test"], classes)
    return {
        "source": source["source"],
        "origin": sorted(source["checksums"].items()),
        "classes": classes,
        "listed": [classes.index(name) for name in listed],
        "protocol": split["protocol"],
        "fold": split.get("fold"),
        "own_validation": any(group["origin"] == "val" for group in source["groups"]),
        "counts": {part: split["images"][part] for part in SPLITS},
        "duplicates": split["duplicates"]["images"],
        "leaked": split["duplicates"]["across_splits"],
        "channels": [split["mean"], split["std"]],
        "networks": {
            name: network_facts(name, network, settings[name], classes)
            for name, network in networks.items()
        },
        **comparisons(networks, settings, classes),
        "occluded": occluded["network"],
        "occlusion": {gallery: facts.occlusion(occluded[gallery]) for gallery in GALLERIES},
        "ranks": list(range(2, PER_CLASS + 1)),
        "per_class": PER_CLASS,
    }


def read_network(name: str, classes: list[str]) -> dict[str, Any]:
    """Read the metrics and tables of one network; its confusion matrices are counted."""
    folder = Path("plots", name)
    answers = {
        split: files.read_csv(folder / f"confusion_{split}.csv", tables.CONFUSION)
        for split in SPLITS
    }
    return {
        "metrics": files.read_json(f"metrics/{name}.json"),
        "history": files.read_csv(folder / "curves.csv", HISTORY),
        "actual": {split: of["actual"] for split, of in answers.items()},
        "correct": {s: (of["actual"] == of["predicted"]).to_numpy() for s, of in answers.items()},
        "counts": {split: confusion.count(of, classes) for split, of in answers.items()},
        "distances": files.read_csv(folder / "agreement.csv", tables.AGREEMENT),
        "galleries": files.read_csv(folder / "galleries.csv", tables.GALLERIES),
    }


def network_facts(name: str, network: dict, settings: dict, classes: list[str]) -> dict[str, Any]:
    """Return what the report states of one network."""
    metrics, counts, galleries = network["metrics"], network["counts"], network["galleries"]
    return {
        "title": NETWORKS[name].title,
        "settings": settings,
        "metrics": metrics,
        "learning": facts.learning(
            network["history"], network["correct"], facts.baseline(network["actual"], classes)
        ),
        "galleries": {
            kind: facts.gallery(galleries[galleries["gallery"] == kind], classes, PER_CLASS)
            for kind in GALLERIES
        },
        "pattern": facts.pattern(metrics["agreement"], counts, classes),
        "distances": distances(network["distances"], classes),
        "recalls": facts.recalls(counts["test"]),
        "architecture": architecture(settings["architecture"], len(classes)),
    }


def distances(table: pd.DataFrame, classes: list[str]) -> list[list]:
    """Return a row a class: its distance on each two splits with that by chance, or None."""
    found = {
        (row.first, row.second, row[3]): [row.distance, row.distance_by_chance]
        for row in table.itertuples()
    }
    return [[name, *(found.get((*pair, name)) for pair in facts.PAIRS)] for name in classes]


def comparisons(
    networks: dict[str, dict], settings: dict[str, dict], classes: list[str]
) -> dict[str, Any]:
    """Return how the networks compare with one another on the same images."""
    tests = files.read_json("metrics/pairwise.json")
    accuracy = {name: of["metrics"]["test"]["accuracy"] for name, of in networks.items()}
    pairs = {
        pair: facts.comparison(pair, [accuracy[name] for name in pair], tests["_".join(pair)])
        for pair in combinations(networks, 2)
    }
    plain, augmented = settings["q2"], settings["augment"]
    correct = {name: of["correct"] for name, of in networks.items()}
    actual = networks["q2"]["actual"]["val"].to_numpy()
    return {
        "pairs": {"_".join(pair): compared for pair, compared in pairs.items()},
        "best": facts.best(accuracy, {frozenset(pair): found for pair, found in pairs.items()}),
        "better": better(networks, accuracy),
        "augmentation": {
            "differing": [key for key in augmented if augmented[key] != plain.get(key)],
            "gap": facts.gap_change(correct["q2"], correct["augment"]),
        },
        "recall_change": facts.recall_change(
            correct["q2"]["val"], correct["better"]["val"], actual, classes
        )
        | {"mixed": facts.mixed(networks["better"]["counts"]["val"], classes)},
    }


def better(networks: dict[str, dict], accuracy: dict[str, float]) -> dict[str, Any]:
    """Return in what our own network is better: parameters, convergence, accuracy."""
    # the accuracy on validation that all of them reach
    reached = min(float(of["history"]["val_accuracy"].max()) for of in networks.values())
    measured = {
        "parameters": {name: of["metrics"]["parameters"] for name, of in networks.items()},
        "epochs": {name: facts.epochs_to(of["history"], reached) for name, of in networks.items()},
        "accuracy": accuracy,
    }
    others = {key: {n: v for n, v in of.items() if n != "better"} for key, of in measured.items()}
    return {"reached": reached} | {
        key: {"own": of["better"], "others": facts.against(of["better"], others[key])}
        for key, of in measured.items()
    }
