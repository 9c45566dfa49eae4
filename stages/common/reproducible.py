"""What must be the same for two runs to give the same bytes: device, threads, algorithms, seeds."""

import hashlib
import os
import platform
from typing import Annotated, Literal

from pydantic import Field

from stages.common.base import fingerprint
from stages.common.base.errors import InputError
from stages.common.base.params import Group

# Waiting threads sleep instead of spinning. Alone on the machine that costs next to nothing; beside
# another busy process, spinning makes a training several times slower. Read when torch is loaded,
# so it is set here, before any stage imports it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# what makes torch's three libraries compute alike on every x86-64 processor with AVX2; MKL's own
# branch for AVX2 would not do: it differs between makers
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
}
# what else these libraries, their threads and their older names would take from the environment
READ_BY_KERNELS = ("ATEN_", "DNNL_", "GOMP_", "KMP_", "MKL_", "OMP_", "ONEDNN_")
X86_64 = platform.machine() in ("x86_64", "AMD64")


class Compute(Group):
    """Group `compute`: where tensors are computed."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    # part of the result: the number of threads decides in which order sums are added up
    threads: Annotated[int, Field(ge=1, le=256)]
    kernels: Literal["portable", "fastest"]
    # of one training, started by its stage on this machine, each with a share of every batch and
    # as many threads
    processes: Annotated[int, Field(ge=1, le=64)]


def prepare(compute: Compute, record: bool = True):
    """Fix threads and algorithms, record the fingerprint of the run, give the torch device.

    Parameters
    ----------
    record : bool
        Whether this process records it; of several that torchrun has started, one does.

    Raises
    ------
    InputError
        The device asked for is not on this machine, or portable kernels are not to be had.
    """
    if compute.kernels == "portable" and X86_64:
        _ask_for_portable()
    # cublas is deterministic only with a fixed workspace, and reads this when it starts
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    name = compute.device
    if name == "auto":
        name = next(device for device, there in present.items() if there)
    elif not present[name]:
        there = ", ".join(device for device, is_there in present.items() if is_there)
        raise InputError(
            f"params.yaml: compute.device is {name!r}: this machine has {there} (or auto)"
        )
    if name == "cpu" and compute.kernels == "portable" and X86_64:
        _check_portable()
    torch.set_num_threads(compute.threads)
    # on MPS max pooling has no deterministic gradient: there it is a warning, not an error.
    # use_deterministic_algorithms would also import the compiler, which takes two seconds
    torch.set_deterministic_debug_mode("warn" if name == "mps" else "error")
    # it would fill new memory with NaN, to show whether anything is read before it is written
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    # full float32 also where a GPU could round the factors of a convolution to 10 bits
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device(name)
    if name == "cuda":
        # torchrun gives each process of a machine a GPU of its own
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if record:
        fingerprint.record(**settled(device))
    return device


def _ask_for_portable() -> None:
    for variable in [name for name in os.environ if name.startswith(READ_BY_KERNELS)]:
        if variable not in PORTABLE and variable != "OMP_WAIT_POLICY":
            del os.environ[variable]
    for variable, value in PORTABLE.items():
        os.environ.setdefault(variable, value)


def _check_portable() -> None:
    import torch

    then = "or set compute.kernels to fastest in params.yaml"
    for variable, value in PORTABLE.items():
        if (found := os.environ[variable]).upper() != value.upper():
            raise InputError(f"{variable} is {found!r} in the environment: unset it, {then}")
    if not torch.cpu.get_capabilities()["avx2"]:
        raise InputError(f"this processor has no AVX2: take another machine, {then}")


def settled(device) -> dict[str, str | int]:
    """Return what torch adds to the fingerprint: device, threads, its build and its kernels."""
    import torch

    portable = PORTABLE.items() <= os.environ.items()
    kernels = "portable" if portable else f"fastest, {torch.backends.cpu.get_cpu_capability()}"
    if device.type == "cuda":
        kernels = torch.cuda.get_device_name()
    return {
        "device": device.type,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),  # the build too: CUDA or not
        "kernels": kernels,
    }


def derived_seed(*parts: int | str) -> int:
    """Mix numbers and names into the seed of one generator, the same on every machine.

    `derived_seed(seed, "augmentation", epoch, image)` gives each purpose, epoch and image a stream
    of its own, whatever was drawn before: neither the batch size nor an interruption changes it.

    Returns
    -------
    int
        0 <= seed < 2**63
    """
    text = " ".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
