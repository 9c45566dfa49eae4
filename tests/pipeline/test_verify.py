"""`python -m tools.verify` on the first stages: twice from scratch, compared, explained."""

import json
import os
import shutil
import signal
import sys

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.conftest import SPLIT_OF_CLASS, snapshot
from tests.pipeline.conftest import ENVIRONMENT, Clone, stages_run


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder in which temporary ones are made."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def short(finished_clone, tmp_path, temporary) -> Clone:
    """A fresh clone of the finished one that ends with the split, which is kept in Git.

    Its commit asks for a cache that is shared with others.
    """
    finished_clone.git("clone", "--quiet", ".", str(tmp_path / "short"))
    short = Clone(tmp_path / "short")
    yaml = YAML()
    for path in ("dvc.yaml", "dvc.lock"):
        content = yaml.load(short / path)
        for stage in set(content["stages"]) - {"download", "split"}:
            del content["stages"][stage]
        for key in set(content) - {"stages", "schema"}:
            del content[key]
        if path == "dvc.yaml":
            content["stages"]["split"]["outs"] = [{"data/split": {"cache": False}}]
        else:
            outs = content["stages"]["split"]["outs"]
            content["stages"]["split"]["outs"] = [o for o in outs if o["path"] == "data/split"]
        yaml.dump(content, short / path)
    shutil.copytree(finished_clone / "data/split", short / "data/split")
    (short / "data/.gitignore").write_text("/raw\n")
    (short / ".dvc/config").write_text(f"[cache]\n    dir = {tmp_path / 'shared'}\n")
    short.commit("without the networks")
    return short


def verify(clone: Clone, *options: str, code: int = 0) -> str:
    return clone.call(sys.executable, "-m", "tools.verify", *options, code=code)


def rows(output: str) -> dict[str, list[str]]:
    """The rows of the table, by out."""
    lines = output[output.index("stage  ") :].splitlines()
    cells = [[cell for cell in line.split("  ") if cell] for line in lines[: lines.index("")]]
    return {out.strip(): [cell.strip() for cell in (stage, *rest)] for stage, out, *rest in cells}


def test_two_runs_and_the_committed_one_are_the_same_bytes(short, temporary):
    before = snapshot(short.folder)
    output = verify(short)
    assert stages_run(output) == ["download", "split"] * 2
    assert rows(output) == {
        "out": ["stage", "second run", "committed run"],
        "data/raw": ["download", "same bytes", "same bytes"],
        "data/split": ["split", "same bytes", "same bytes"],
    }
    assert "two runs: the same dvc.lock, the same bytes in all 2 outs\n" in output
    assert "committed run: 2 same bytes, 0 same metrics, 0 different\n" in output
    assert output.endswith("verified\n")
    unchanged = {path: data for path, data in snapshot(short.folder).items() if path in before}
    assert unchanged == before
    assert short.git("status", "--porcelain") == ""
    assert list(temporary.iterdir()) == []
    assert not (temporary.parent / "shared").exists()


def test_a_stage_that_writes_the_time_is_named(short):
    main = short / "stages/split/run.py"
    text = main.read_text()
    assert '"protocol": protocol}' in text
    clock = '"protocol": __import__("time").time_ns()}'
    main.write_text(text.replace('"protocol": protocol}', clock))
    short.git("rm", "--quiet", "dvc.lock")
    short.commit("a clock, and no run that it could be compared with")
    output = verify(short, code=1)
    assert rows(output)["data/raw"] == ["download", "same bytes", "not compared"]
    assert rows(output)["data/split"] == ["split", "different", "not compared"]
    assert "two runs: other bytes in 1 of the outs, first in data/split of split\n" in output
    assert "the fingerprints are the same, so the stage's code does not repeat itself" in output
    assert "committed run: there is none, dvc.lock is not in the commit\n" in output
    assert output.endswith("NOT verified\n")


def test_other_params_are_not_compared_and_what_git_does_not_carry_is_found(short):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (short / f"photos/{name}").mkdir(parents=True)
        for i in range(len(SPLIT_OF_CLASS)):
            pixels = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(short / f"photos/{name}/{i}.png")
    source = ["--set", "download.source=folder", "--set", "download.path=photos"]
    output = verify(short, *source)
    assert "verify: what is not committed is not verified: 1 changes\n" in output
    assert rows(output)["data/raw"] == ["download", "same bytes", "not compared"]
    assert "committed run: not compared, as --set changed its params\n" in output
    assert output.count("26 images of 2 classes") == 2


@pytest.mark.skipif(os.name == "nt", reason="a console interrupts in another way")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_in_one_line_and_removes_the_clone(short, temporary, number):
    process = short.start(sys.executable, "-m", "tools.verify")
    for line in process.stdout:
        if line.startswith("> python -m stages.download"):
            break
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    *before, last = output.splitlines()
    assert last == "interrupted, no result was written: the temporary clone is removed"
    assert not any(line.startswith(("ERROR", "error", "Traceback")) for line in before)
    assert list(temporary.iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_another_processor_gives_the_same_metrics_and_is_named(clone):
    kernels = json.loads((clone / "fingerprints/train_q1.json").read_text())["kernels"]
    if kernels == "DEFAULT":
        pytest.skip("torch has no other kernels for this processor")
    # torch's plain kernels add up in another order, as those of another processor do
    process = clone.start(
        sys.executable, "-m", "tools.verify", environment={"ATEN_CPU_CAPABILITY": "default"}
    )
    output, _ = process.communicate()
    assert process.returncode == 0, output
    found = rows(output)
    assert found["data/split"] == ["split", "same bytes", "same bytes"]
    for network in ("q1", "q2", "augment", "better"):
        assert found[f"models/{network}"][1:] == ["same bytes", "same metrics"]
    assert f"  kernels was {kernels}, is DEFAULT (train_q1, " in output
