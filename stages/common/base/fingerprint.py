"""What may change the last bits of a result: versions, processor, device, threads."""

import os
import platform
from importlib import metadata
from pathlib import Path

from stages.common.base.files import write_json
from stages.common.base.progress import log

FOLDER = Path("fingerprints")
CPUINFO = Path("/proc/cpuinfo")
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

    `compute` is what the stage itself has settled, such as device and threads.
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
        The given values, then platform, processor, version of Python and of each package that
        computes or draws.
    """
    found = {
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }
    return found | compute


def _processor() -> str:
    """Return the processor's name, family and model; Linux has them in a file of its own.

    Where the machine is a virtual one, several generations may go by one name.
    """
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    first: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
    name = first.get("model name", platform.processor())
    numbers = [
        (key, first.get(f"{prefix}{key}")) for prefix, key in (("cpu ", "family"), ("", "model"))
    ]
    return ", ".join([name, *(f"{key} {value}" for key, value in numbers if value)])
