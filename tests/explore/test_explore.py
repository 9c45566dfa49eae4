"""The command `python -m stages.explore`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.common.base import files
from stages.common.base.errors import InputError
from stages.common.study import NETWORKS
from stages.common.tables.evaluation import RELIABILITY
from stages.explore.__main__ import main
from tests.conftest import CLASSES, snapshot


@pytest.fixture
def finished(study):
    """The tiny study after the stages that `explore` reads from."""
    for seed, name in enumerate(NETWORKS):
        study.write_model(name, seed=seed)
        row = "val,0.4,0.6,4,0.5,0.5\ntest,0.4,0.6,6,0.5,0.5\n"
        files.write_text(f"plots/{name}/reliability.csv", ",".join(RELIABILITY) + "\n" + row)
    about = {"network": "q1", "patches": [48], "stride": 48, "fills": ["mean"]} | {
        "strides": {"mean": 48}
    }
    files.write_json("models/occlusion/heatmaps.json", about)
    files.write_json("models/occlusion_better/heatmaps.json", about | {"network": "better"})
    grid = np.random.default_rng(0).normal(size=(2, 2, 2, 2)).astype(np.float32)
    arrays = {"index": np.array([8, 21]), "unoccluded": grid[:, 0, 0], "patch_48_mean": grid}
    for folder in ("occlusion", "occlusion_better"):
        files.write_arrays(f"models/{folder}/heatmaps.npz", **arrays)
    return study


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    torch.use_deterministic_algorithms(False)


def test_the_command_writes_one_file_that_is_the_same_at_every_run(finished):
    result = finished.run("explore")
    assert result.returncode == 0, result.stderr
    assert "explore/index.html: 10 of 10 images" in result.stdout
    first = snapshot("explore")
    assert list(first) == ["explore/index.html"]
    text = first["explore/index.html"].decode()
    study = json.loads(text.split('id="study">')[1].split("</script>")[0])
    assert (
        study["classes"] == CLASSES and [of["grids"] for of in study["occlusion"]] == [[[2, 2]]] * 2
    )
    result = finished.run("explore", PYTHONHASHSEED="99", LC_ALL="C", TZ="Asia/Tokyo")
    assert result.returncode == 0 and snapshot("explore") == first


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        ("models/q2/weights.safetensors", None, "models/q2/weights.safetensors is not there"),
        ("models/occlusion/heatmaps.npz", None, "heatmaps.npz is not there: run `dvc repro`"),
        ("models/occlusion/heatmaps.npz", b"PK\x03\x04?", "heatmaps.npz is damaged"),
        ("plots/augment/reliability.csv", b"split,low\n", "augment/reliability.csv is damaged"),
    ],
)
def test_what_is_missing_or_damaged_is_named(finished, path, content, problem):
    Path(path).write_bytes(content) if content else Path(path).unlink()
    with pytest.raises(InputError, match=problem):
        main()
    assert not Path("explore").exists()


def test_a_model_of_other_classes_is_refused(finished):
    finished.write_model("better", classes=["cat", "dog", "cow"])
    with pytest.raises(InputError, match="models/better was trained on the classes cat, dog"):
        main()
