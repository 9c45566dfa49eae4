"""README.md and docs/: their numbers, pictures, links and commands are those of the last commit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, project_params

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def head(tmp_path_factory) -> Path:
    """The last commit: an experiment in the working tree changes none of it."""
    folder = tmp_path_factory.mktemp("head") / "project"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    return folder


def test_numbers_are_those_of_the_committed_results(head):
    environment = os.environ | {"PYTHONPATH": str(head)}
    subprocess.run(
        [sys.executable, "-m", "tools.docs"], cwd=head, env=environment, check=True, timeout=120
    )
    changed = subprocess.run(["git", "diff", "--stat"], cwd=head, capture_output=True, text=True)
    assert changed.stdout == "", "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(head, page):
    text = (head / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (head / page).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_params_targets_and_modules_of_the_commands_are_there(head, page):
    text = (head / page).read_text(encoding="utf-8")
    params = project_params()
    # DVC changes a param that is there, and adds one only where it says +
    keys = re.findall(r"-S '?(\+?)(\w+)\.(\w+)=", text)
    assert [key for key in keys if (key[2] in params[key[1]]) == bool(key[0])] == []
    targets = set(re.findall(r"^([a-z-]+):", (head / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.M)) <= targets
    modules = re.findall(
        r"(?:python|nproc-per-node \S+) .*?-m ((?:stages|tools|experiments)[\w.]*)", text
    )
    assert [
        name
        for name in modules
        if not any(
            (head / (name.replace(".", "/") + end)).is_file() for end in (".py", "/__main__.py")
        )
    ] == []
