"""Seeds that are the same on every machine, the device, the threads."""

import sys

import pytest
import torch

from stages.common.base.errors import InputError
from stages.common.reproducible import Compute, derived_seed, prepare


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


def test_keys_of_purposes_epochs_and_images_differ():
    keys = {
        derived_seed(seed, purpose, epoch, image)
        for seed in range(3)
        for purpose in ("weights", "order", "augmentation")
        for epoch in range(12)
        for image in range(12)
    }
    assert len(keys) == 3 * 3 * 12 * 12
    assert (
        derived_seed(1, "order", 11)
        != derived_seed(11, "order", 1)
        != derived_seed(1, "order", 1, 1)
    )


def test_a_key_is_a_seed_that_torch_takes():
    keys = [derived_seed("test", number) for number in range(200)]
    assert all(0 <= value < 2**63 for value in keys)
    assert max(keys) > 2**62  # and the whole range is in use
    torch.Generator().manual_seed(max(keys))


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_threads_and_deterministic_algorithms_are_set(device, capsys):
    given = prepare(Compute(processes=1, device=device, threads=3))
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
        prepare(Compute(processes=1, device=absent, threads=1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"device": "gpu", "threads": 1, "processes": 1},
        {"device": "cpu", "threads": 0},
        {"device": "cpu", "threads": 257},
        {"device": "cpu", "threads": True},
    ],
)
def test_bad_compute_params_are_refused(values):
    with pytest.raises(ValueError):
        Compute.model_validate(values)
