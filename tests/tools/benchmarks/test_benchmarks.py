"""The command `python -m tools.benchmarks`."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT, assert_one_line
from tools.benchmarks.__main__ import BENCHMARKS
from tools.benchmarks.table import Row


def call(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("pairs", [0, -1])
def test_pairs_are_one_or_more(pairs, tmp_path):
    result = call("training", "--pairs", pairs, "--out", tmp_path)
    assert_one_line(result, f"--pairs is {pairs}", "1 or more")
    assert not any(tmp_path.iterdir())


def test_unknown_benchmarks_are_refused_with_those_that_are_known():
    assert_one_line(call("speed"), "'speed' is no benchmark", "occlusion")


def test_reading_wants_photographs():
    assert_one_line(call("occlusion", "reading"), "reading needs photographs", "--photos")


@pytest.mark.parametrize(
    "names, run",
    [
        (["training"], ["training"]),
        ([], [name for name in BENCHMARKS if name != "reading"]),
        (["--photos", "."], BENCHMARKS),
    ],
)
def test_the_table_starts_with_machine_and_command(names, run, tmp_path, monkeypatch, capsys):
    from tools.benchmarks import __main__ as command

    row = Row("case", "quick", "slow", [(1.0, 2.0)], "same")
    monkeypatch.setattr(command, "run", lambda name, *_: iter([row, f"a line of {name}"]))
    monkeypatch.setattr(sys, "argv", ["benchmarks", *names, "--out", str(tmp_path)])
    command.main()
    written = (tmp_path / "results.md").read_text()
    assert written in capsys.readouterr().out
    first, *_ = written.splitlines()
    assert "2 threads" in first and "torch" in first
    assert first.endswith(f"`{' '.join(['python -m tools.benchmarks', *names])} --out {tmp_path}`")
    assert written.splitlines()[-len(run) :] == [f"- a line of {name}" for name in run]
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "results.md"}
