"""Several processes train as one would."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import torch
from safetensors.torch import load_file

from stages.train.distributed import ALONE, Processes
from tests.conftest import ROOT, assert_one_line, snapshot
from tests.train.gradients import CASES, train

TWO = {"processes": 2}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SHARED = {"epochs": 4, "flip": 0.5, "crop": 4, "lr": 0.001}


def test_every_item_belongs_to_one_process():
    shares = [Processes(3, rank).share(torch.arange(8)).tolist() for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert Processes(3, 2).share(torch.arange(2)).tolist() == []


def test_gradients_statistics_and_measures_are_those_of_one_process(study, tmp_path):
    command = [*TORCHRUN, "-m", "tests.train.gradients", str(tmp_path)]
    subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
    for architecture, batch_size in CASES:
        shared = load_file(tmp_path / f"{architecture}_{batch_size}.safetensors")
        alone = train(architecture, batch_size, ALONE)
        assert shared.keys() == alone.keys()
        for name, expected in alone.items():
            scale = max(1.0, expected.abs().max().item())
            torch.testing.assert_close(shared[name], expected, rtol=0, atol=1e-6 * scale)


def start(study) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "stages.train", "better"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_process_ends_the_training_in_one_line_and_the_next_goes_on(study):
    study.write_params(compute=TWO, train=SHARED, train_better=SHARED)
    undisturbed = study.run("train", "better")
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert "shared by 2 processes" in undisturbed.stdout
    assert undisturbed.stdout.count("epoch   1 of 4") == 1  # one process speaks
    assert undisturbed.stderr == ""
    expected = snapshot("models")

    for epoch, end, line in (
        (1, signal.SIGKILL, "error: process 1 of 2 was killed by SIGKILL: "),
        (2, signal.SIGINT, "interrupted, no result was written: "),
    ):
        process = start(study)
        next(line for line in process.stdout if f" epoch {epoch:3d} of" in line)
        children = psutil.Process(process.pid).children()
        if end == signal.SIGKILL:
            (victim,) = (child for child in children if child.environ().get("RANK") == "1")
            victim.kill()
        else:
            process.send_signal(end)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == (1 if end == signal.SIGKILL else 128 + end)
        assert errors == f"{line}`dvc repro` goes on after the last finished epoch\n"
        assert not any(child.is_running() for child in children)

    last = study.run("train", "better")
    assert "going on after its epoch" in last.stdout and "epoch   1 of" not in last.stdout
    assert snapshot("models") == expected


def test_a_mistake_is_told_once(study):
    study.write_params(compute=TWO, train=SHARED, train_better=SHARED)
    Path("data/split/split.csv").write_text("index,label\n")
    assert_one_line(study.run("train", "better"), "split.csv")


def test_torchrun_itself_starts_it_too(study):
    alone = SHARED | {"epochs": 1}
    study.write_params(train=alone, train_better=alone)
    command = [*TORCHRUN, "-m", "stages.train", "better"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "shared by 2 processes" in done.stdout and "models/better" in done.stdout
