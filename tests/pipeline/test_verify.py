"""`python -m tools.verify`: the committed run again from scratch, here or on other processors."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.conftest import ROOT, SPLIT_OF_CLASS, snapshot
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


def test_the_committed_run_is_repeated_to_the_byte_and_nothing_is_left_behind(short, temporary):
    before = snapshot(short.folder)
    output = verify(short)
    assert stages_run(output) == ["download", "split"]
    assert "data/raw    same bytes\ndata/split  same bytes\n2 same bytes\n" in output
    assert output.splitlines()[-1].startswith("verified: native, 0 min ")
    unchanged = {path: data for path, data in snapshot(short.folder).items() if path in before}
    assert unchanged == before
    assert short.git("status", "--porcelain") == ""
    assert list(temporary.iterdir()) == []
    assert not (temporary.parent / "shared").exists()


def test_other_bytes_are_told_and_a_run_that_was_never_committed_cannot_be_compared(short):
    edit(short / "stages/split/run.py", '"protocol": protocol}', '"protocol": protocol.upper()}')
    short.commit("a change that the lock does not know")
    output = verify(short, code=1)
    assert "data/raw    same bytes\ndata/split  different\n" in output
    assert output.splitlines()[-1].startswith("NOT verified: native, ")
    short.git("rm", "--quiet", "dvc.lock")
    short.commit("no run")
    assert verify(short, code=2).endswith(
        "error: the last commit has no run to compare with: dvc.lock is not in it\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the small run is of Linux")
def test_the_small_run_is_other_than_its_hashes_after_the_least_change(short):
    verify(short, "--small", "--write")
    short.commit("hashes of the small run")
    assert "verified: native" in verify(short, "--small").splitlines()[-1]
    painter = short / "stages/download/sample/pictures.py"
    pixel = "+ (np.arange(96 * 96 * 3).reshape(96, 96, 3) == 5000)"
    for path, old, new, found in [
        (painter, "+ grain)", f"+ grain {pixel})", "data/raw    different"),
        (short / "params.yaml", "parts: [8, 2, 3]", "parts: [2, 8, 3]", "data/split  different"),
    ]:
        edit(path, old, new)
        short.commit("the least change")
        assert found in verify(short, "--small", code=1)
        short.git("revert", "--no-edit", "HEAD")


def edit(path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_source_that_git_does_not_carry_is_found(short):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (short / f"photos/{name}").mkdir(parents=True)
        for i in range(len(SPLIT_OF_CLASS)):
            pixels = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(short / f"photos/{name}/{i}.png")
    short.set_params({"download": {"source": "folder", "path": "photos"}})
    short.dvc("repro")
    short.git("add", "dvc.lock", "params.yaml", "data", "fingerprints")
    short.git("commit", "--quiet", "--message", "photographs")
    output = verify(short)
    assert "verify: what is not committed is not verified: " in output
    assert "26 images of 2 classes" in output
    assert "2 same bytes\n" in output


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
@pytest.mark.timeout(4 * 3600)
@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="qemu-x86_64 is not installed")
def test_the_small_run_is_the_same_to_the_byte_on_other_processors():
    done = subprocess.run(["make", "verify-processors"], cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0
