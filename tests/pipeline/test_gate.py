"""The gate: what does not belong to `dvc.lock` is named, a cache that is missing is not."""

import sys

import pytest
from ruamel.yaml import YAML

from tests.pipeline.conftest import Clone

SPLIT_READERS = {
    "train_q1", "train_q2", "augment", "train_better",
    "evaluate@q1", "evaluate@q2", "evaluate@augment", "evaluate@better", "occlusion", "report",
}  # fmt: skip


@pytest.fixture
def bare(finished_clone, tmp_path) -> Clone:
    """A fresh clone of the finished one: what is in Git is there, and there is no cache."""
    finished_clone.git("clone", "--quiet", ".", str(tmp_path / "bare"))
    bare = Clone(tmp_path / "bare")
    assert not (bare / ".dvc/cache").exists() and not (bare / "data/raw").exists()
    return bare


def stale(clone: Clone) -> dict[str, str]:
    """What the gate says of each stale stage."""
    output = clone.call(sys.executable, "-m", "tools.verify.gate", code=1)
    *lines, last = output.splitlines()
    assert last.startswith(f"error: stages that do not belong to dvc.lock: {len(lines)} of"), output
    assert all(line.startswith("stale: ") for line in lines), output
    return dict(line.removeprefix("stale: ").split(": ", 1) for line in lines)


def replace(clone: Clone, path: str, old: str, new: str) -> None:
    text = (clone / path).read_text()
    assert old in text
    (clone / path).write_text(text.replace(old, new, 1))


def test_a_fresh_clone_passes_though_it_has_no_cache(bare):
    output = bare.call(sys.executable, "-m", "tools.verify.gate")
    assert output == "dvc.lock belongs to the code, the params and the data: 13 stages\n"
    assert bare.git("status", "--porcelain") == ""


def test_a_finished_clone_passes_until_one_of_its_cached_outs_is_changed(clone):
    clone.call(sys.executable, "-m", "tools.verify.gate")
    weights = clone / "models/q1/weights.safetensors"
    weights.unlink()  # it may be a link into the cache
    weights.write_bytes(b"")
    assert stale(clone) == {
        "train_q1": "out models/q1 is modified",
        "evaluate@q1": "dep models/q1 is modified",
        "occlusion": "dep models/q1 is modified",
        "report": "dep models/q1 is modified",
    }


def test_what_was_changed_after_the_run_is_named(bare):
    replace(bare, "stages/split/assign.py", "\n", "\n\n")
    bare.set_params({"occlusion": {"stride": 7, "fill": [1, 2, 3]}})
    replace(bare, "dvc.yaml", "python -m stages.train q2", "python -m stages.train  q2")
    replace(bare, "metrics/augment.json", "901066", "901067")
    (bare / "plots/better/curves.png").unlink()
    (bare / "metrics/q2.json").unlink()
    (bare / "plots/q1/more.png").write_bytes(b"")
    found = stale(bare)
    assert found == {
        "split": "dep stages/split is modified",
        "train_q2": "cmd is 'python -m stages.train  q2', was 'python -m stages.train q2'",
        "evaluate@q1": "out plots/q1 is modified",
        "evaluate@q2": "out metrics/q2.json is deleted",
        "evaluate@augment": "out metrics/augment.json is modified",
        "evaluate@better": "out plots/better is modified",
        "occlusion": "param occlusion.stride is 7, was 32; "
        "param occlusion.fill is [1, 2, 3], was mean",
        "compare": "dep metrics/q2.json is deleted; dep metrics/augment.json is modified; "
        "dep plots/q1 is modified; dep plots/better is modified",
        "report": found["report"],
    }
    for change in (
        "dep plots/q1 is modified",
        "dep metrics/q2.json is deleted",
        "param occlusion.stride is 7, was 32",
    ):
        assert change in found["report"]


def test_a_common_module_makes_all_stages_stale_that_use_it(bare):
    replace(bare, "stages/common/dataset.py", "\n", "\n\n")
    expected = dict.fromkeys({"split", *SPLIT_READERS}, "dep stages/common/dataset.py is modified")
    assert stale(bare) == expected


def test_what_is_declared_in_another_way_than_it_ran_is_named(bare):
    replace(bare, "dvc.yaml", "deps: [stages/download,", "deps: [stages/download, LICENSE,")
    replace(bare, "dvc.yaml", "outs: [data/split,", "outs: [data/split, data/more,")
    replace(bare, "dvc.yaml", "params: [compute, train, augment]", "params: [train, augment]")
    replace(bare, "dvc.yaml", "outs: [models/better]", "outs: [models/best]")
    replace(bare, "dvc.yaml", "params: [compute, occlusion]", "params: [compute, split, occlusion]")
    found = stale(bare)
    assert found == {
        "download": "dep LICENSE is not in dvc.lock",
        "split": "out data/more is not in dvc.lock",
        "augment": "param compute is not in dvc.yaml",
        "train_better": "out models/best is not in dvc.lock; out models/better is not in dvc.yaml",
        # no stage gives it back any more
        "evaluate@better": "dep models/better is deleted",
        "report": "dep models/better is deleted",
        "occlusion": found["occlusion"],
    }
    assert "param split.seed is 0, was missing" in found["occlusion"]


def test_a_lock_that_does_not_fit_together_is_named(bare):
    yaml = YAML()
    lock = yaml.load(bare / "dvc.lock")
    stages = lock["stages"]
    out = next(out for out in stages["split"]["outs"] if out["path"] == "data/split")
    out["md5"] = "f" * 32 + ".dir"
    stages["train_more"] = stages.pop("train_q1")
    [galleries] = [dep for dep in stages["occlusion"]["deps"] if "galleries" in dep["path"]]
    galleries["md5"] = "f" * 32
    yaml.dump(lock, bare / "dvc.lock")
    split = "dep data/split is not what dvc.lock has as the out of its stage"
    assert stale(bare) == {
        "train_q1": "not in dvc.lock",
        **dict.fromkeys(SPLIT_READERS - {"train_q1"}, split),
        "occlusion": f"{split}; dep plots/q1/galleries.csv is modified",
        "train_more": "not in dvc.yaml",
    }


def test_a_file_of_a_cached_folder_must_be_the_one_that_the_cache_knows(clone):
    replace(clone, "dvc.yaml", '"models/${item.network}"]', '"models/${item.network}/history.csv"]')
    clone.dvc("commit", "--force", "evaluate@q1")
    text = (clone / "dvc.lock").read_text()
    [md5] = {
        dep["md5"]
        for dep in YAML().load(text)["stages"]["evaluate@q1"]["deps"]
        if dep["path"] == "models/q1/history.csv"
    }
    clone.git("clean", "--quiet", "-fdX", "models")
    assert "evaluate@q1" not in stale(clone)
    (clone / "dvc.lock").write_text(text.replace(md5, "f" * 32))
    assert stale(clone)["evaluate@q1"].startswith("dep models/q1/history.csv is not what dvc.lock")


def test_without_a_lock_every_stage_is_stale(bare):
    (bare / "dvc.lock").unlink()
    assert stale(bare) == dict.fromkeys(
        {"download", "split", *SPLIT_READERS, "compare"}, "not in dvc.lock"
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [("dvc.yaml", "stages: ["), ("dvc.lock", "stages: ["), ("params.yaml", "train: [")],
)
def test_a_file_that_cannot_be_read_ends_in_one_line(bare, path, text):
    (bare / path).write_text(text)
    output = bare.call(sys.executable, "-m", "tools.verify.gate", code=1)
    assert output.startswith("error: ") and output.count("\n") == 1
    assert path in output
