"""What `dvc` does on a full disk: what it says, and how the results come back."""

import json
import shutil

import pytest

from tests.conftest import snapshot
from tests.disk import Disk, mounted
from tests.pipeline.conftest import Clone


class CloneOnDisk(Clone):
    """A clone whose commands run where its disk is mounted."""

    def __init__(self, disk: Disk):
        super().__init__(disk.project)
        self.disk = disk

    def call(self, *command: str, code: int = 0) -> str:
        return super().call(*self.disk.enter, *command, code=code)

    def results(self) -> dict[str, bytes]:
        folders = ("data", "models", "metrics", "plots")
        return snapshot(*(self / folder for folder in folders)) | {
            "dvc.lock": (self / "dvc.lock").read_bytes()
        }


@pytest.fixture
def clone(finished_clone, tmp_path):
    """A copy of the finished clone on a small disk of its own."""
    with mounted(tmp_path / "disk", "64m") as disk:
        shutil.copytree(finished_clone.folder, disk.project, symlinks=True, dirs_exist_ok=True)
        yield CloneOnDisk(disk)


def test_a_stage_that_does_not_fit_ends_dvc_and_checkout_brings_its_results_back(clone):
    before = clone.results()
    clone.set_params({"download": {"per_class": 26}})
    clone.disk.fill(10**6)
    output = clone.dvc("repro", code=1)
    assert "error: No space left on device: data/raw\n" in output
    assert "ERROR: failed to reproduce 'download'" in output
    assert "Traceback" not in output
    assert clone.results() == before | {"dvc.lock": clone.results()["dvc.lock"]}
    clone.git("checkout", "--", ".")
    clone.dvc("checkout")
    assert clone.results() == before
    assert json.loads(clone.dvc("status", "--json")) == {}


def test_what_does_not_fit_into_the_cache_is_named_and_not_lost(clone):
    before = clone.results()
    clone.set_params({"report": {"author": "Ada Lovelace"}})
    clone.disk.fill(10**5)
    # the new report takes the place of the old one, and DVC has no room for its copy
    output = clone.dvc("repro", "report")
    assert "ERROR: failed to transfer" in output and "No space left on device" in output
    written = snapshot(clone / "report")
    status = json.loads(clone.dvc("status", "report", "--json"))
    assert status == {"report": [{"changed outs": {"report": "not in cache"}}]}
    clone.disk.empty()
    clone.dvc("commit", "report")  # without writing it again
    assert json.loads(clone.dvc("status", "report", "--json")) == {}
    clone.git("stash", "--quiet")
    clone.dvc("checkout")
    assert clone.results() == before
    clone.git("stash", "pop", "--quiet")
    clone.dvc("checkout")
    assert snapshot(clone / "report") == written
