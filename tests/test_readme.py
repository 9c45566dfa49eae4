"""The README's figures, pictures and commands belong to the committed run and its params."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def committed(path: str) -> str:
    """What is committed: an experiment in the working tree must not fail the README."""
    command = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


PARAMS = YAML(typ="safe").load(committed("params.yaml"))


def result_row(network: str) -> str:
    """The row of the README's table of results that these metrics give."""
    metrics = json.loads(committed(f"metrics/{network}.json"))
    test, interval = metrics["test"], metrics["test"]["accuracy_interval"]
    return (
        f"| {metrics['parameters']:,} | {metrics['multiply_accumulates'] / 1e6:.0f} M "
        f"| {metrics['best_epoch']} | {metrics['train']['accuracy']:.1%} "
        f"| {metrics['val']['accuracy']:.1%} | **{test['accuracy']:.1%}** "
        f"({interval['low']:.1%} to {interval['high']:.1%}) |"
    )


@pytest.mark.parametrize("network", ["q1", "q2", "augment", "better"])
def test_results_are_those_of_the_committed_metrics(network):
    assert result_row(network) in README


def test_pictures_are_there():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_params_of_the_commands_exist():
    # DVC changes a param that is there, and adds one only where it says +
    keys = re.findall(r"-S (\+?)(\w+)\.(\w+)=", README)
    assert keys
    assert [key for key in keys if (key[2] in PARAMS[key[1]]) == bool(key[0])] == []


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`?make (\w+)`?", README)) <= targets
