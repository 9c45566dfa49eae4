"""The README's figures, pictures and commands belong to the committed run and its params."""

import csv
import json
import re
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from verify import metrics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORKS = ("q1", "q2", "augment", "better")


def committed(path: str) -> str:
    """What is committed: an experiment in the working tree must not fail the README."""
    command = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


PARAMS = YAML(typ="safe").load(committed("params.yaml"))


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
    p = pairs["augment_better"]["p_holm"]
    assert f"gives p = {p:.3f} for the better CNN against the augmented deep one" in words
    assert "and p < 0.001 against the two others" in words
    assert max(pairs["q1_better"]["p_holm"], pairs["q2_better"]["p_holm"]) < 0.001


def test_metrics_and_pictures_are_those_of_the_committed_lock(tmp_path):
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "head"], check=True)
    with Repo(tmp_path / "head") as repo:
        outs = [out for stage in repo.index.stages for out in stage.outs if not out.use_cache]
        results = {out.def_path for out in outs}
        assert [status for out in outs if (status := out.workspace_status())] == []
    assert {f"metrics/{network}.json" for network in NETWORKS} < results
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
