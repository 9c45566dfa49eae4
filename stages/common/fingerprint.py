"""What may change the last bits of a result: versions, processor, device, threads."""

import os
import platform
from importlib import metadata
from pathlib import Path

from stages.common.cli import log
from stages.common.files import write_json

FOLDER = Path("fingerprints")
PACKAGES = (
    "matplotlib",
    "numpy",
    "pandas",
    "pillow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "torch",
    "torchvision",
)


def record(**compute: str | int) -> dict[str, str | int]:
    """Print the fingerprint of this run and, under DVC, keep it in `fingerprints/<stage>.json`.

    It stands outside every out, since it differs where the results need not. It is committed with
    `dvc.lock`, so that a difference to another machine's results can be explained.

    Parameters
    ----------
    **compute
        What the stage itself has settled, such as device and threads.

    Returns
    -------
    dict
        As `collect` gives it.
    """
    fingerprint = collect(**compute)
    # the versions that matter most; the rest is in the file
    shown = ["device", "threads", "python", "torch", "platform", "processor"]
    log(" · ".join(f"{key} {fingerprint[key]}" for key in shown if key in fingerprint))
    # set by DVC for each stage that it runs: what is called by hand leaves the lock as it is
    if stage := os.environ.get("DVC_STAGE"):
        write_json(FOLDER / f"{stage}.json", fingerprint)
    return fingerprint


def collect(**compute: str | int) -> dict[str, str | int]:
    """Collect versions and the kind of machine; nothing that changes from run to run on it.

    Returns
    -------
    dict
        The given values, then platform, processor and its vector instructions, version of Python
        and of each package that computes or draws.
    """
    import numpy as np

    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    found = {
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processor_features": " ".join(extensions["found"]),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
    return found | compute


def _processor() -> str:
    """Give the processor's name; Linux has it in a file of its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
