"""Seeds that are the same on every machine, the device, the threads."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.common.base.errors import InputError
from stages.common.reproducible import X86_64, Compute, derived_seed, prepare
from tests.conftest import assert_one_line, environment, snapshot

# torch is loaded here with what kernels it has
CPU = {"device": "cpu", "threads": 1, "kernels": "fastest", "processes": 1}


@pytest.fixture(autouse=True)
def restore():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    "parts, value",
    [
        # `printf '0 weights' | b2sum -l 64` gives 9d3df56307776508, of which the last bit is cut
        ((0, "weights"), 0x9D3DF56307776508 >> 1),
        ((7, "augmentation", 3, 12), 0xDE5BA9913865F44D >> 1),
        ((1, "order", 2), 3974086278462618607),
    ],
)
def test_a_key_is_the_same_on_every_machine(parts, value):
    assert derived_seed(*parts) == value


def test_a_key_is_a_seed_that_torch_takes():
    keys = [derived_seed("test", number) for number in range(200)]
    assert all(0 <= value < 2**63 for value in keys)
    assert max(keys) > 2**62  # and the whole range is in use
    torch.Generator().manual_seed(max(keys))


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_threads_and_deterministic_algorithms_are_set(device, capsys):
    given = prepare(Compute(**CPU | {"device": device, "threads": 3}))
    assert isinstance(given, torch.device)
    assert torch.get_num_threads() == 3
    assert torch.are_deterministic_algorithms_enabled()
    out = capsys.readouterr().out
    assert out.startswith(f"device {given.type} · threads 3 · python ")
    assert f" · torch {torch.__version__} · " in out
    assert out.count("\n") == 1


def test_a_device_that_is_not_there_is_refused_with_those_that_are():
    absent = "cuda" if sys.platform == "darwin" else "mps"
    with pytest.raises(InputError, match=f"compute.device is '{absent}'.*cpu") as caught:
        prepare(Compute(**CPU | {"device": absent}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"device": "gpu"},
        {"threads": 0},
        {"threads": 257},
        {"threads": True},
        {"kernels": "slowest"},
    ],
)
def test_bad_compute_params_are_refused(values):
    Compute.model_validate(CPU)
    with pytest.raises(ValueError):
        Compute.model_validate(CPU | values)


@pytest.mark.skipif(not X86_64, reason="only x86-64 has portable kernels")
@pytest.mark.parametrize(
    ("found", "changes", "parts"),
    [
        ({"MKL_CBWR": "AVX2"}, {}, ["MKL_CBWR is 'AVX2' in the environment", "fastest"]),
        ({"ATEN_CPU_CAPABILITY": "default"}, {}, ["ATEN_CPU_CAPABILITY is 'default'"]),
        ({"ONEDNN_MAX_CPU_ISA": "ALL"}, {}, ["ONEDNN_MAX_CPU_ISA is 'ALL'"]),
        ({"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}, {}, ["ONEDNN_DEFAULT_FPMATH_MODE is 'BF16'"]),
        ({}, {"train": {"precision": "bfloat16"}}, ["train.precision is 'bfloat16'", "fastest"]),
    ],
)
def test_what_is_not_portable_is_refused_in_one_line(study, found, changes, parts):
    study.write_params(**changes)
    before = snapshot(".")
    assert_one_line(study.run("train", "q1", **found), *parts)
    assert snapshot(".") == before
    study.write_params(**changes, compute={"kernels": "fastest"})
    assert study.run("train", "q1", **found).returncode == 0


@pytest.mark.skipif(not shutil.which("taskset"), reason="taskset is not installed")
def test_the_machine_s_cores_change_nothing(study):
    """Threads decide in which order sums are added up; `compute.threads` alone sets them."""
    others = {"OMP_NUM_THREADS": "16", "OMP_THREAD_LIMIT": "1", "DNNL_MAX_CPU_ISA": "SSE41"}
    study.write_params(compute={"threads": 2})
    results = []
    for cores, changes in [("0", {}), ("0-1", {}), ("0-1", others)]:
        pinned = ["taskset", "--cpu-list", cores, sys.executable, "-m", "stages.train", "q2"]
        subprocess.run(pinned, env=environment(**changes), check=True, capture_output=True)
        results.append(Path("models/q2/weights.safetensors").read_bytes())
        shutil.rmtree("models")
    assert results[0] == results[1] == results[2]
