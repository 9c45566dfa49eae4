"""Train one network as a DVC experiment, and measure what each of its epochs cost."""

import json
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from stages.common.base import files
from stages.common.base.errors import InputError
from stages.common.base.progress import log

# the line that a training prints after an epoch; lines about the steps of one have no loss
EPOCH = re.compile(r"\w+ epoch +(\d+) of \d+: loss ")
HISTORY = {"epoch": int, "train_accuracy": float, "val_accuracy": float}
COLUMNS = ("epoch", "cpu_minutes", "wall_minutes", "train_accuracy", "val_accuracy")


def train(name: str, stage: str, network: str, params: dict[str, Any]) -> pd.DataFrame:
    """Run one training stage with changed params, whatever DVC remembers of earlier runs.

    Parameters
    ----------
    name : str
        Of the experiment, as `dvc exp show` will list it.
    stage, network : str
        Such as "train_q1" and "q1".
    params : dict
        As `dvc exp run -S` names them.

    Returns
    -------
    DataFrame
        A row an epoch: epoch, cpu_minutes and wall_minutes (since the command was started, of all
        its processes), train_accuracy and val_accuracy.

    Raises
    ------
    InputError
        The training failed.
    """
    # without the run cache, which would give results without the time that they take
    options = ["--force", "--single-item", "--name", name]
    command = ["dvc", "exp", "run", *options, *changes(params), stage]
    times, start = [], time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            for line in process.stdout:
                log(line.rstrip())
                if found := EPOCH.match(line):
                    wall = (time.monotonic() - start) / 60
                    times.append((int(found[1]), cpu_seconds(process.pid) / 60, wall))
        except BaseException:
            process.terminate()  # the training ends with it
            raise
    if process.returncode:
        raise InputError(f"`{' '.join(command)}` failed: see above")
    cost = pd.DataFrame(times, columns=["epoch", "cpu_minutes", "wall_minutes"])
    history = files.read_csv(f"models/{network}/history.csv", HISTORY)
    return history.merge(cost, on="epoch", validate="1:1")[list(COLUMNS)]


def changes(params: dict[str, Any]) -> list[str]:
    """Spell params as `dvc exp run` takes them; `++` sets what may not be there yet.

    >>> changes({"train.lr": 0.01, "train_better.sizes": [64, 96]})
    ['-S', '++train.lr=0.01', '-S', '++train_better.sizes=[64,96]']
    """
    return [word for key, value in params.items() for word in ("-S", f"++{key}={spell(value)}")]


def spell(value: Any) -> str:
    """Spell a value in the grammar of Hydra, which DVC reads: only quoted text may be of any kind.

    >>> [spell(value) for value in (None, True, 1e-5, "off", ["a", 1])]
    ['null', 'true', '1e-05', "'off'", "['a',1]"]
    """
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    if isinstance(value, str | Path):
        return "'" + str(value).replace("'", "\\'") + "'"
    return json.dumps(value)


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process and of all below it that are still there."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        above = psutil.Process(pid)
        for process in (above, *above.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                total += used.user + used.system
    return total
