"""`dvc.yaml` declares exactly what a stage opens and which params it reads.

DVC follows no import and no call: what is not declared would not make a stage stale.
"""

import json
import runpy
import sys

import pytest
from ruamel.yaml import YAML

from stages.common.base import process
from stages.common.base.errors import InputError
from stages.common.reproducible import PORTABLE
from stages.download.outs import OUTS
from stages.train import distributed
from tests.conftest import ROOT, project_params

STAGES = list(YAML(typ="safe").load(ROOT / "dvc.lock")["stages"])
# read by every stage, and written beside what it declares
FOLDERS_ALONE = {"stages/common/images.py", "stages/common/image_files.py"}
COMMON = {"params.yaml", "fingerprints", "live"}
# the variables of the environment that may be read: kernels, which are refused where they are not
# the portable ones, how threads wait, a GPU's workspace, what DVCLive says, and which stage or
# process this is
VARIABLES = {*PORTABLE, "OMP_WAIT_POLICY", "CUBLAS_WORKSPACE_CONFIG", "DVC_STAGE", "LOCAL_RANK"}
VARIABLES |= {
    "DVCLIVE_LOGLEVEL",
    "TORCHELASTIC_RUN_ID",
    *(name for name, _ in distributed.ENVIRONMENT),
}


@pytest.fixture(scope="module")
def lock(finished_clone) -> dict[str, dict]:
    return YAML(typ="safe").load(finished_clone / "dvc.lock")["stages"]


def recorded(clone, stage: str) -> list[str]:
    """What a stage has opened and read, as the recorder notes it."""
    return (clone / ".git/opened" / stage).read_text().splitlines()


def opened(clone, stage: str) -> set[str]:
    """The files of the project that a stage has opened, but for hidden and empty ones."""
    return {
        path
        for path in recorded(clone, stage)
        if not any(part.startswith(".") for part in path.split("/"))
        and ((clone / path).is_file() and (clone / path).stat().st_size)
    }


def within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_opens_what_it_declares(finished_clone, lock, stage):
    declared = {entry["path"] for kind in ("deps", "outs") for entry in lock[stage][kind]}
    found = opened(finished_clone, stage)
    undeclared = {p for p in found if not any(within(p, d) for d in declared | COMMON)}
    assert undeclared == set()
    # images are decoded where the source is a folder, and here it is not
    modules = {path for path in declared if path.startswith("stages/")} - FOLDERS_ALONE
    assert {d for d in modules if not any(within(p, d) for p in found)} == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_of_the_environment_what_may_not_change_a_result(finished_clone, stage):
    found = {line[1:] for line in recorded(finished_clone, stage) if line.startswith("$")}
    assert "DVC_STAGE" in found  # they are recorded
    assert found - VARIABLES == set()


def test_no_out_is_a_place_for_a_users_files(lock):
    written = {out["path"] for stage in lock.values() for out in stage["outs"]}
    assert {out for out in written if not any(within(out, place) for place in OUTS)} == set()


def read_params(command: str, monkeypatch) -> str:
    """Run a stage's command up to its first mistake; return what it says of it."""
    _, _, module, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    monkeypatch.setattr(process, "run_main", lambda main, **_: main())
    monkeypatch.delitem(sys.modules, f"{module}.__main__", raising=False)
    try:
        runpy.run_module(f"{module}.__main__", run_name="__main__")
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_params_that_it_declares(lock, stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no data are there, so that none but `download` goes far
    groups = project_params()
    groups["download"]["per_class"] = 1
    declared = set(lock[stage].get("params", {}).get("params.yaml", {}))
    declared = {key for key in groups if key in {path.split(".")[0] for path in declared}}
    for left_out in [None, *declared]:
        given = {key: groups[key] for key in declared - {left_out}}
        (tmp_path / "params.yaml").write_text(json.dumps(given))
        said = read_params(lock[stage]["cmd"], monkeypatch)
        assert ("the group" in said) == bool(left_out), said


def test_every_group_of_params_belongs_to_a_stage(lock):
    read = {
        key for stage in lock.values() for key in stage.get("params", {}).get("params.yaml", {})
    }
    assert {key.split(".")[0] for key in read} == set(project_params())


def test_outs_are_ignored_by_git_unless_they_are_committed(finished_clone, lock):
    cached = [out["path"] for stage in lock.values() for out in stage["outs"]]
    tracked = finished_clone.git("ls-files", *cached).splitlines()
    assert {path.split("/")[0] for path in tracked} == {"metrics", "plots"}
