"""What is handed in: one zip, the same bytes for the same commit, with a notebook that was run."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT, assert_one_line
from tools.hand_in.__main__ import pack
from tools.hand_in.notebook import SOURCE, from_markdown

GIT = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, env=os.environ | GIT, capture_output=True, text=True, check=True)
    return done.stdout


def hand_in() -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tools.hand_in"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def contents(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def repository(finished):
    """The tiny study in Git, with a report."""
    Path("report").mkdir()
    Path("report/report.pdf").write_bytes(b"%PDF")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    Path("run").write_text("#!/bin/sh\n")
    Path("run").chmod(0o755)
    Path(".gitignore").write_text("/report\n/hand-in\n/data\n/models\n")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "the study")
    return finished


def test_the_zip_holds_report_code_params_lock_and_a_notebook_that_was_run(repository):
    result = hand_in()
    assert result.returncode == 0, result.stderr
    assert "not committed" not in result.stdout and result.stderr == ""
    assert sorted(os.listdir("hand-in")) == ["report.pdf", "report.zip"]
    first = Path("hand-in/report.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        names = {name.removeprefix("report/") for name in archive.namelist()}
        own = {"report.pdf", "report.ipynb", "hand-in.json"}
        tracked = {name for name in git("ls-files").split() if not name.startswith("plots/")}
        assert names == own | tracked
        assert {"params.yaml", "dvc.lock"} < names
        assert archive.getinfo("report/run").external_attr >> 16 == 0o100755
        origin = json.loads(archive.read("report/hand-in.json"))
        notebook = nbformat.reads(archive.read("report/report.ipynb").decode(), as_version=4)
    assert origin["commit"] == git("rev-parse", "HEAD").strip()
    assert origin["changed_since"] == []
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {
        "stream",
        "execute_result",
        "display_data",
    }
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3

    # what is not committed is packed as it is, and said; all else is the same to the byte
    Path("run").write_text("#!/bin/sh\ntrue\n")
    assert "not committed, and packed as they are here: 1 changes" in hand_in().stdout
    then, now = contents(first), contents(Path("hand-in/report.zip").read_bytes())
    assert {name for name in then | now if then.get(name) != now.get(name)} == {
        "report/run",
        "report/hand-in.json",
    }
    assert json.loads(now["report/hand-in.json"])["changed_since"] == ["run"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda: Path("report/report.pdf").unlink(), "report/report.pdf is not there: run `dvc"),
        (lambda: git("rm", "-q", "--cached", "dvc.lock"), "dvc.lock is not in Git"),
        (lambda: os.rename(".git", "git"), "git ls-files: "),
        (lambda: Path("metrics/q1.json").unlink(), "the notebook failed: FileNotFoundError: "),
    ],
    ids=["no report", "no lock", "no repository", "no metrics"],
)
def test_what_is_missing_is_named_and_nothing_is_written(repository, spoil, words):
    spoil()
    assert_one_line(hand_in(), words)
    assert not Path("hand-in").exists()


def test_a_zip_depends_on_nothing_but_what_is_in_it():
    contents = {"b": (b"2", True), "a": (b"1", False)}
    packed = pack("x", contents)
    assert packed == pack("x", dict(reversed(contents.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["x/a", "x/b"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_notebook_has_a_cell_for_each_block_and_its_words():
    text = "# Title\n\nwords\n\n```python\n1 + 1\n\n2\n```\n\n```python\n3\n```\nmore\n"
    cells = from_markdown(text).cells
    assert [(cell.cell_type, cell.source) for cell in cells] == [
        ("markdown", "# Title\n\nwords"),
        ("code", "1 + 1\n\n2"),
        ("code", "3"),
        ("markdown", "more"),
    ]
    nbformat.validate(from_markdown(SOURCE.read_text()))
