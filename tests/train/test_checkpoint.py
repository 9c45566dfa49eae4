"""A training that is stopped goes on from its last finished epoch, to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from stages.common.networks import BetterCNN, initialise
from stages.train import checkpoint, loop
from stages.train.checkpoint import Checkpoint, Progress
from tests.conftest import ROOT, snapshot, train_params

STATE = Path("models/.unfinished/better.safetensors")
SWITCHES = {"epochs": 6, "lr": 0.001, "flip": 0.5, "crop": 4}


def network_and_optimizer(steps=0, seed=0, **params):
    """A network and its optimiser after some steps on noise."""
    network = BetterCNN(2).to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(seed)
    initialise(network, generator)
    optimizer = loop.build_optimizer(network, train_params(**params))
    for _ in range(steps):
        network(torch.randn(4, 3, 96, 96, generator=generator)).square().sum().backward()
        optimizer.step()
    return network, optimizer


def progress_of(network) -> Progress:
    best = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    row = {"epoch": 1, "val_loss": 0.1 + 0.2}
    return Progress([row], row, best)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_network_and_optimiser_come_back_to_the_bit_and_in_the_same_memory_order(study, optimizer):
    network, steps = network_and_optimizer(steps=2, optimizer=optimizer)
    given = progress_of(network)
    Checkpoint("q1", "a key").save(given, network, steps)
    other, other_steps = network_and_optimizer(seed=1, optimizer=optimizer)
    found = Checkpoint("q1", "a key").load(other, other_steps)

    assert (found.history, found.best) == (given.history, given.best)
    for name, tensor in given.best_weights.items():
        assert torch.equal(found.best_weights[name], tensor)
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
        assert other.state_dict()[name].stride() == tensor.stride()
    states, other_states = steps.state_dict()["state"], other_steps.state_dict()["state"]
    assert states.keys() == other_states.keys() and states
    for index, state in states.items():
        assert state.keys() == other_states[index].keys()
        for kind, tensor in state.items():
            assert torch.equal(other_states[index][kind], tensor)
            assert other_states[index][kind].stride() == tensor.stride()


@pytest.mark.parametrize("spoil", ["another key", "cut", "empty", "text", "missing"])
def test_what_cannot_be_gone_on_from_leaves_network_and_optimiser_as_they_are(study, spoil):
    network, optimizer = network_and_optimizer(steps=1)
    file = Path("models/.unfinished/q1.safetensors")
    Checkpoint("q1", "a key").save(progress_of(network), network, optimizer)
    match spoil:
        case "cut":
            file.write_bytes(file.read_bytes()[:-100])
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("not a state")
        case "missing":
            file.unlink()
    other, other_optimizer = network_and_optimizer(seed=1)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    key = "another key" if spoil == "another key" else "a key"
    assert Checkpoint("q1", key).load(other, other_optimizer) == Progress()
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in before.items())
    assert other_optimizer.state_dict()["state"] == {}


def test_a_key_depends_on_values_and_on_contents_but_not_on_where_they_lie(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        (folder / "x.npy").write_bytes(b"1")
    first, second = (checkpoint.digest({"lr": 0.1, "seed": 0}, folder) for folder in folders)
    assert first == second == checkpoint.digest({"seed": 0, "lr": 0.1}, folders[0])
    assert checkpoint.digest({"lr": 0.2, "seed": 0}, folders[0]) != first
    (folders[0] / ".x.partial").write_bytes(b"1")
    (folders[0] / "__pycache__").mkdir()
    assert checkpoint.digest({"lr": 0.1, "seed": 0}, folders[0]) == first
    (folders[0] / "x.npy").write_bytes(b"2")
    assert checkpoint.digest({"lr": 0.1, "seed": 0}, folders[0]) != first
    (folders[1] / "x.npy").rename(folders[1] / "y.npy")
    assert checkpoint.digest({"lr": 0.1, "seed": 0}, folders[1]) != first


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["repro", "-f"], True),
        (["repro", "--force"], True),
        (["repro", "-sf", "train_q1"], True),
        (["exp", "run", "-f", "-S", "train.lr=0.1"], True),
        (["repro"], False),
        (["repro", "--force-downstream"], False),
        (["exp", "run", "-S", "train.lr=0.1", "-n", "f"], False),
    ],
)
def test_force_is_seen_through_the_shell_between(tmp_path, arguments, expected):
    # a program of the name dvc that calls a shell which calls Python, as the real one does
    code = "from stages.train.checkpoint import forced; print(forced())"
    script = tmp_path / "dvc"
    script.write_text(
        "import subprocess, sys\n"
        f"shell = ['/bin/sh', '-c', '{sys.executable} -c \"$CODE\"; true']\n"
        f"subprocess.run(shell, env={os.environ | {'PYTHONPATH': str(ROOT), 'CODE': code}!r})\n"
    )
    command = [sys.executable, str(script), *arguments]
    assert subprocess.check_output(command, text=True).strip() == str(expected)


def start(study, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "stages.train", "better"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop_after(process: subprocess.Popen, epoch: int, number: signal.Signals) -> tuple[float, str]:
    """Send a signal once an epoch is finished; give the seconds until the end and stderr."""
    for line in process.stdout:
        if f" epoch {epoch:3d} of" in line:
            break
    process.send_signal(number)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=30)
    return time.monotonic() - begin, errors


def test_a_training_that_is_stopped_again_and_again_ends_in_the_same_bytes(study):
    study.write_params(train=SWITCHES, train_better=SWITCHES)
    undisturbed = study.run("train", "better")
    assert undisturbed.returncode == 0, undisturbed.stderr
    expected = snapshot("models")

    epochs = []
    for number, epoch in ((signal.SIGKILL, 1), (signal.SIGINT, 3), (signal.SIGTERM, 4)):
        process = start(study)
        seconds, errors = stop_after(process, epoch, number)
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 128 + number
            line = "interrupted, no result was written: `dvc repro` goes on after the last finished"
            assert errors == f"{line} epoch\n"
            assert seconds < 2
        assert STATE.is_file()
        epochs.append(epoch)
    # what stands under the final name is still the earlier result
    assert {k: v for k, v in snapshot("models").items() if "/better/" in k} == expected

    last = study.run("train", "better")
    assert last.returncode == 0, last.stderr
    lines = last.stdout.splitlines()
    going_on = [line for line in lines if "going on after its epoch" in line]
    assert len(going_on) == 1 and int(going_on[0].split()[-1]) >= epochs[-1]
    assert not any(f" epoch {epoch:3d} of" in line for epoch in epochs for line in lines)
    assert snapshot("models") == expected


@pytest.mark.parametrize("change", ["param", "data", "threads"])
def test_another_param_other_data_or_threads_start_fresh(study, change):
    study.write_params(train=SWITCHES, train_better=SWITCHES)
    stop_after(start(study), 2, signal.SIGKILL)
    match change:
        case "param":
            study.write_params(train=SWITCHES, train_better=SWITCHES | {"weight_decay": 0.5})
        case "data":
            study.images[0, 0, 0, 0] ^= 1
            study.write_raw()
        case "threads":
            study.params["compute"]["threads"] = 2
            study.write_params(train=SWITCHES, train_better=SWITCHES)
    result = study.run("train", "better")
    assert result.returncode == 0, result.stderr
    assert "going on" not in result.stdout
    assert " epoch   1 of" in result.stdout
    assert not STATE.parent.exists()
