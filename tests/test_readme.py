"""The README's figures, pictures and commands belong to the committed run and its params."""

import csv
import io
import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from experiments import plan, table
from tools.verify import metrics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORKS = ("q1", "q2", "augment", "better")


def git(*command: str) -> str:
    command = ["git", *command]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def committed(path: str) -> str:
    """What is committed: an experiment in the working tree must not fail the README."""
    return git("show", f"HEAD:{path}")


def committed_study() -> tuple[pd.DataFrame, dict[int, dict[str, Any]]]:
    """The curves of the study on photographs, and its metrics by seed and file."""
    metrics: dict[int, dict[str, Any]] = {}
    for path in git("ls-tree", "-r", "--name-only", "HEAD", "experiments/metrics").splitlines():
        seed = int(Path(path).parent.name.removeprefix("seed-"))
        metrics.setdefault(seed, {})[Path(path).stem] = json.loads(committed(path))
    return pd.read_csv(io.StringIO(committed("experiments/curves.csv"))), metrics


PARAMS = YAML(typ="safe").load(committed("params.yaml"))
CURVES, STUDY = committed_study()


def result_row(network: str) -> str:
    """The row of the README's table of results that these metrics give."""
    results = json.loads(committed(f"metrics/{network}.json"))
    test, interval = results["test"], results["test"]["accuracy_interval"]
    return (
        f"| {results['parameters']:,} | {results['multiply_accumulates'] / 1e6:.0f} M "
        f"| {results['best_epoch']} | {results['train']['accuracy']:.1%} "
        f"| {results['val']['accuracy']:.1%} | **{test['accuracy']:.1%}** "
        f"({interval['low']:.1%} to {interval['high']:.1%}) | {test['tta_accuracy']:.1%} |"
    )


@pytest.mark.parametrize("network", NETWORKS)
def test_results_are_those_of_the_committed_metrics(network):
    assert result_row(network) in README


def test_what_is_said_to_be_chance_or_not_is_that_of_the_committed_tests():
    pairs = json.loads(committed("metrics/pairwise.json"))
    words = " ".join(README.split())
    p = {pair: test["p_holm"] for pair, test in pairs.items()}
    assert p["q1_q2"] > 0.05
    assert f"gives p = {p['q1_q2']:.3f} for the deep CNN against the shallow one" in words
    assert (
        f"gives p = {p['augment_better']:.3f} for the better CNN against the augmented deep"
        in words
    )
    assert "and p < 0.001 against the two others" in words
    assert max(pairs["q1_better"]["p_holm"], pairs["q2_better"]["p_holm"]) < 0.001


def test_metrics_and_pictures_are_those_of_the_committed_lock(tmp_path):
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "head"], check=True)
    with Repo(tmp_path / "head") as repo:
        outs = [out for stage in repo.index.stages for out in stage.outs if not out.use_cache]
        results = {out.def_path for out in outs}
        assert [status for out in outs if (status := out.workspace_status())] == []
    assert {f"metrics/{network}.json" for network in NETWORKS} < results
    results.add("experiments/plots")  # of the study on photographs, which no stage writes
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (tmp_path / "head" / picture).is_file(), picture
        assert results & {parent.as_posix() for parent in Path(picture).parents}, picture


def test_params_of_the_commands_exist():
    # DVC changes a param that is there, and adds one only where it says +
    keys = re.findall(r"-S (\+?)(\w+)\.(\w+)=", README)
    assert keys
    assert [key for key in keys if (key[2] in PARAMS[key[1]]) == bool(key[0])] == []


def test_the_tolerance_is_the_one_that_make_verify_applies():
    stated = (
        f"{metrics.SHARE_TOLERANCE} for accuracies and other shares, {metrics.LOSS_TOLERANCE} for "
        f"losses, {metrics.GALLERY_TOLERANCE} for what occlusion measures"
    )
    assert stated in " ".join(README.split())


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`?make ([a-z-]+)`?", README)) <= targets


def test_claims_of_speed_are_those_of_the_committed_table():
    measured = list(csv.DictReader(committed("benchmarks/results.csv").splitlines()))
    rows = {
        f"| {row['case']} | {row['other']} | {float(row['ratio']):.1f} |"
        for row in measured
        if row["unit"] == "s"
    }
    _, _, claims = README.partition("| what | instead of | times as fast |\n|---|---|---|\n")
    claims = claims.partition("\n\n")[0].splitlines()
    assert len(claims) > 10 and set(claims) <= rows


def cells(row: dict[str, str], *columns: str) -> str:
    return f"| {' | '.join(row[column] for column in columns)} |"


def study_rows() -> list[str]:
    """The rows of the README's table of the four networks on photographs."""
    trained = table.table(plan.read(), "study", CURVES, PARAMS)
    tested = table.tested(list(plan.read().study), STUDY)
    columns = ("experiment", "epochs", "CPU minutes", "validation", "accuracy", "with TTA", "seeds")
    return [cells(a | b, *columns) for a, b in zip(trained, tested, strict=True)]


def ablation_rows() -> list[str]:
    """The rows of the README's table of what each change to the deep network brings."""
    columns = ("experiment", "what", "parameters", "MACs", "epochs", "CPU minutes")
    columns += ("epochs to q2's best", "validation", "seeds")
    rows = table.table(plan.read(), "ablation", CURVES, PARAMS)
    return [cells(row, *columns) for row in rows]


@pytest.mark.parametrize("rows", [study_rows, ablation_rows])
def test_tables_of_photographs_are_those_of_the_committed_experiments(rows):
    assert "\n".join(rows()) + "\n\n" in README


def study_claims() -> list[str]:
    """What the README says of the four networks on photographs, in words."""
    reached = table.goals(CURVES)
    runs = {name: table.summarise(run, reached) for name, run in CURVES.groupby("experiment")}
    compared = CURVES[CURVES["experiment"].isin([*NETWORKS, table.SHORT])]
    seeds = [
        {name: table.summarise(run, reached) for name, run in own.groupby("experiment")}
        for _, own in compared.groupby("seed")
    ]

    def share(name: str, of: str, minutes: str) -> str:
        """What one training costs of another's minutes, from the least to the most of the seeds."""
        found = [seed[name][minutes] / seed[of][minutes] for seed in seeds]
        return f"{min(found):.0%} to {max(found):.0%}"

    last = CURVES.groupby(["experiment", "seed"])["train_accuracy"].last()
    known = last.groupby("experiment").mean()
    parameters = {name: STUDY[0][name]["parameters"] for name in plan.read().study}

    def test(name: str, metric: str) -> float:
        return sum(seed[name]["test"][metric] for seed in STUDY.values()) / len(STUDY)

    accuracy = {name: 100 * test(name, "accuracy") for name in parameters}
    *given, ours = (test(name, "expected_calibration_error") for name in parameters)
    return [
        f"bring the deep CNN {accuracy['augment'] - accuracy['q2']:.1f} points on test",
        f"brings another {accuracy['better'] - accuracy['augment']:.1f}, with "
        f"{parameters['better'] / parameters['q2']:.0%} of the parameters and in "
        f"{share('better', 'augment', 'cpu_minutes')} of the processor time",
        f"ours reaches in {share('better-short', 'q2', 'cpu_minutes_to')} of the time that it took",
        f"made for accuracy, pass it after {share('better', 'q2', 'cpu_minutes_to')}.",
        f"Two threads train ours in {runs['better-two-threads']['wall_minutes']:.1f} minutes, to "
        f"{runs['better-two-threads']['val_accuracy']:.1%} on validation",
        f"calibration error is {ours:.1%}, theirs {min(given):.1%} to {max(given):.1%}",
        f"(`better-full-size`) reach {runs['better-full-size']['val_accuracy']:.1%} in "
        f"{runs['better-full-size']['cpu_minutes']:.1f} CPU minutes, ours with the same seed "
        f"{seeds[0]['better']['val_accuracy']:.1%} in {seeds[0]['better']['cpu_minutes']:.1f}.",
        f"(`longer`) it knows {known['longer']:.0%} of the training images and "
        f"{runs['longer']['val_accuracy']:.1%} of the validation images; changed colours, zoom and "
        f"CutMix together lower the one to {known['cutmix']:.0%} and raise the other to "
        f"{runs['cutmix']['val_accuracy']:.1%}",
        f"reaches {runs['better-long']['val_accuracy']:.1%} on validation in 80 epochs "
        f"(`better-long`), and {runs['better-hour']['val_accuracy']:.1%} in 160 with more CutMix "
        f"(`better-hour`, {runs['better-hour']['cpu_minutes']:.1f} CPU minutes). Ten times the "
        f"weight decay alone bring its 40 epochs to "
        f"{runs['better-weight-decay']['val_accuracy']:.1%} (`better-weight-decay`), where they "
        f"reach {seeds[0]['better']['val_accuracy']:.1%} without. These three, of one seed, were "
        f"trained on a faster processor, on which 40 epochs took "
        f"{runs['better-weight-decay']['cpu_minutes']:.1f} CPU minutes in place of "
        f"{seeds[0]['better']['cpu_minutes']:.1f}.",
    ]


def test_claims_about_photographs_are_those_of_the_committed_experiments():
    text = " ".join(README.split())
    assert [claim for claim in study_claims() if claim not in text] == []


def agreements(measure: str, *networks: str, splits: str = "") -> list[float]:
    """A measure of the agreement of two splits' confusion matrices, with each seed."""
    return [
        agreement[measure]
        for seed in STUDY.values()
        for network in networks
        for pair, agreement in seed[network]["agreement"].items()
        if splits in pair
    ]


def test_confusion_matrices_of_photographs_agree_as_the_readme_says():
    correlations = agreements("rank_correlation", *NETWORKS)
    given = agreements("error_distance_p", "q1", "q2", splits="train_test")
    augmented = agreements("error_distance_p", "augment", "better", splits="train_test")
    assert (len(correlations), len(given), len(augmented)) == (36, 6, 6)
    words = " ".join(README.split())
    levels = {
        (name, split): sum(seed[name][split]["accuracy"] for seed in STUDY.values()) / len(STUDY)
        for name in NETWORKS
        for split in ("train", "test")
    }
    for claim in (
        f"`q1` is right on {levels['q1', 'train']:.0%} of the training and "
        f"{levels['q1', 'test']:.0%} of the test images, `better` on "
        f"{levels['better', 'train']:.0%} and {levels['better', 'test']:.0%}",
        f"correlation of {min(correlations):.2f} to {max(correlations):.2f} (permutation test, "
        f"p = {max(agreements('rank_p', *NETWORKS)):.3f} at most)",
        f"`q1` and `q2` (p = {max(given):.3f} at most, in each seed)",
        f"none shows a difference beyond chance (p = {min(augmented):.3f} at least)",
    ):
        assert claim in words, claim


def test_classes_of_photographs_are_mixed_up_as_the_readme_says():
    rows = csv.DictReader(committed("experiments/plots/confusion_val.csv").splitlines())
    share = {(r["network"], r["actual"], r["predicted"]): 100 * float(r["share"]) for r in rows}
    classes = sorted({actual for _, actual, _ in share})

    def gain(actual: str, predicted: str) -> float:
        return share["better", actual, predicted] - share["augment", actual, predicted]

    gains = sorted(classes, key=lambda name: gain(name, name))
    assert all(gain(name, name) > 0 for name in classes)
    mixed = {
        pair: (share["better", *pair] + share["better", *reversed(pair)]) / 2
        for pair in itertools.combinations(classes, 2)
    }
    most = sorted(mixed, key=mixed.get, reverse=True)[:3]
    words = " ".join(README.split())
    assert (
        f"every class gains, most of all {gains[-1]}, of which {-gain('car', 'truck'):.0f} in a "
        f"hundred fewer are taken for truck; {gains[0]} gains least. What ours still mixes up "
        f"most: {', '.join(' with '.join(pair) for pair in most)}; of the images of such a pair, "
        f"{mixed[most[-1]]:.0f} to {mixed[most[0]]:.0f} in a hundred are taken for the other."
    ) in words


def test_all_networks_differ_on_photographs_as_the_readme_says():
    for seed in STUDY.values():
        assert len(seed["pairwise"]) == 6
        assert all(test["p_holm"] < 0.001 for test in seed["pairwise"].values())
    assert "any two of the four differ, with each seed (McNemar's" in " ".join(README.split())
