"""What the page of a CI run shows of a change's results."""

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.pipeline.conftest import ENVIRONMENT, ROOT, Clone

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "a/study",
    "GITHUB_SHA": "0123456",
}


@pytest.fixture
def committed(tmp_path) -> Clone:
    """A repository with the results of this one."""
    clone = Clone(tmp_path / "project")
    for name in (
        ".ci",
        ".dvc/config",
        "docs/study.md",
        "dvc.yaml",
        "params.yaml",
        "metrics",
        "plots",
    ):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, clone / name)
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.commit()
    return clone


def summary(clone: Clone, **more: str) -> str:
    """Return the markdown that the script adds to the page of a CI run."""
    page = clone.folder.with_name("page.md")
    page.write_text("what stood there\n")
    own = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("GITHUB_")}
    environment = own | GITHUB | more | {"GITHUB_STEP_SUMMARY": str(page)}
    subprocess.run([clone / ".ci/summary"], env=environment, cwd=os.sep, check=True, timeout=200)
    return page.read_text()


def test_metrics_are_compared_with_where_the_branch_began_and_pictures_are_of_the_commit(committed):
    assert "## Metrics" not in summary(committed)  # there is no commit before the first
    committed.git("checkout", "--quiet", "-b", "change")
    metrics = json.loads((committed / "metrics/summary.json").read_text())
    for value in (0.25, 0.75):  # of two commits, the first is not what is compared with
        before = metrics["test_accuracy"]["q1"]
        changed = metrics | {"test_accuracy": metrics["test_accuracy"] | {"q1": value}}
        (committed / "metrics/summary.json").write_text(json.dumps(changed))
        committed.commit()

    page = summary(committed, GITHUB_BASE_REF="main")
    rows = [line.split("|")[2:-1] for line in page.splitlines() if "summary.json" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["test_accuracy.q1", f"{before:g}", "0.75", f"{0.75 - before:.5g}"]
    ]
    assert page.startswith("what stood there\n")
    text = (ROOT / "docs/study.md").read_text()
    table = text.split("<!-- results -->")[1].split("<!-- end -->")[0]
    assert table.strip() in page
    pictures = re.findall(r"!\[.*\]\(https://github.example/a/study/raw/0123456/(.+)\)", page)
    assert len(pictures) == page.count("![") > 0
    committed.git("ls-files", "--error-unmatch", *pictures)

    committed.git("checkout", "--quiet", "main")
    committed.git("merge", "--quiet", "--ff-only", "change")
    assert "| 0.25" in summary(committed)  # on the branch itself it is the commit before
    committed.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    assert "None has changed." in summary(committed)
