"""What the tests of several stages share: a tiny study in a temporary folder, and its commands."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import configuration

from stages.common.reproducible import PORTABLE

# a shell that runs the tests in the background has them ignore Ctrl-C, and all that they start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
CLASSES = ["dark", "bright"]
SPLIT_OF_CLASS = ["train"] * 8 + ["val"] * 2 + ["test"] * 3


def project_params() -> dict[str, dict]:
    """Return the values of the project's own `params.yaml`."""
    from stages.common.base.params import parse

    return parse(ROOT / "params.yaml")


def train_params(**changes):
    """Return the params of the shallow network's training, with some of them changed."""
    from stages.common.base.params import overriding
    from stages.train.params import Train

    groups = project_params()
    own = overriding(groups["train_q1"], groups["train"])
    return Train.model_validate(groups["train"] | own | changes)


def environment(**changes) -> dict[str, str]:
    """Return what a user's command finds, and not the kernels that a stage in this process set."""
    own = {name: value for name, value in os.environ.items() if name not in PORTABLE}
    return own | {"PYTHONPATH": str(ROOT)} | changes


def assert_one_line(result, *parts) -> None:
    """Check that a command failed with one line that holds the given parts."""
    assert result.returncode == 1, result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    for part in parts:
        assert part in result.stderr


def snapshot(*folders) -> dict[str, bytes]:
    """Return every file under some folders, hidden ones included, with its content.

    Left out are the times of a training, which differ at each run.
    """
    files = (file for folder in folders for file in Path(folder).rglob("*"))
    return {
        file.as_posix(): file.read_bytes()
        for file in files
        if file.is_file() and ".times" not in file.parts
    }


class Study:
    """A project of 26 noisy images in two classes, in the current folder.

    `data/raw` and `data/split` are as the first two stages write them, `params.yaml` has the
    project's own values, reduced to the least work.
    """

    def __init__(self):
        rng = np.random.default_rng(0)
        self.labels = np.repeat([0, 1], 13)
        level = np.where(self.labels, 150, 60)[:, None, None, None]
        self.images = (level + rng.integers(0, 60, (26, 96, 96, 3))).astype(np.uint8)
        self.split = np.array(SPLIT_OF_CLASS * 2)
        self.params = project_params()
        self.params["compute"] |= {"device": "cpu", "threads": 1}
        self.params["train"] |= {"epochs": 1, "batch_size": 8}
        for group in ("train_q1", "train_q2", "augment", "train_better"):
            self.params[group]["epochs"] = None  # as in train
        self.params["occlusion"] |= {"network": "q1", "patches": [48, 96], "stride": 48}
        self.write_raw()
        self.write_split()
        self.write_params()

    def write_raw(self, source="sample", groups=()) -> None:
        Path("data/raw").mkdir(parents=True, exist_ok=True)
        np.save("data/raw/images.npy", self.images)
        np.save("data/raw/labels.npy", self.labels.astype(np.uint8))
        description = {
            "source": source,
            "classes": CLASSES,
            "groups": list(groups),
            "checksums": {},
        }
        Path("data/raw/source.json").write_text(json.dumps(description))

    def write_split(self) -> None:
        Path("data/split").mkdir(parents=True, exist_ok=True)
        rows = zip(range(len(self.labels)), self.labels, self.split, strict=True)
        lines = ["index,label,split", *(f"{i},{label},{side}" for i, label, side in rows)]
        Path("data/split/split.csv").write_text("\n".join(lines) + "\n")
        pixels = self.images[self.split == "train"].reshape(-1, 3) / 255
        statistics = {"mean": pixels.mean(axis=0).tolist(), "std": pixels.std(axis=0).tolist()}
        Path("data/split/statistics.json").write_text(json.dumps(statistics))

    def write_params(self, **changes) -> None:
        """Write `params.yaml`; a change is a group's name and values that override its own."""
        groups = {name: values | changes.get(name, {}) for name, values in self.params.items()}
        Path("params.yaml").write_text(json.dumps(groups))  # JSON is YAML

    def write_model(self, name="q1", classes=CLASSES, seed=0):
        """Write a model with random weights as if it had been trained for two epochs."""
        import torch

        from stages.common import inference, networks

        network = networks.ShallowCNN(len(classes))
        networks.initialise(network, torch.Generator().manual_seed(seed))
        model = inference.Model(network, list(classes), epoch=2)
        inference.save(f"models/{name}", model)
        Path(f"models/{name}/history.csv").write_text(
            "epoch,lr,train_loss,val_loss,train_accuracy,val_accuracy,test_accuracy\n"
            "1,0.001,0.7,0.8,0.5,0.5,0.5\n"
            "2,0.001,0.6,0.7,0.75,0.6,0.5\n"
        )
        views = np.stack([self.images[[0, 13]]] * 3, axis=1)  # nothing was switched on
        np.save(f"models/{name}/augmented.npy", views)
        return model

    def run(self, *command, python=(), **changes) -> subprocess.CompletedProcess:
        """Call `python -m stages.<command>`, or a tool by its whole name, in this folder."""
        module = command[0] if command[0].startswith("tools.") else f"stages.{command[0]}"
        return subprocess.run(
            [sys.executable, *python, "-m", module, *command[1:]],
            env=environment(**changes),
            capture_output=True,
            text=True,
            timeout=120,
        )


def pytest_collection_modifyitems(items):
    """Put the longest tests first: at the end, one of them would keep a core waiting."""
    items.sort(key=lambda item: not {"pipeline", "train"} & {*item.path.parts})


@pytest.fixture(autouse=True, scope="session")
def no_folder_is_left_behind(tmp_path_factory):
    """Keep what hypothesis stores for itself out of the project."""
    configuration.set_hypothesis_home_dir(tmp_path_factory.mktemp("hypothesis"))


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """A tiny study in a temporary folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["stage"])  # not those of the tests
    return Study()
