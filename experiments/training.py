"""Train one network as a DVC experiment, and read what each of its epochs cost."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd

from stages.common.base import files
from stages.common.base.errors import InputError
from stages.common.base.params import parse
from stages.common.tables.training import HISTORY
from stages.train import times


def train(
    name: str, stage: str, network: str, params: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, str]]:
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
        A row an epoch: epoch, cpu_minutes and wall_minutes (since the training began), and the
        columns of history.csv.
    dict
        The md5 of the model's folder, as DVC has it, and the processor that it was trained on.

    Raises
    ------
    InputError
        The training failed.
    """
    # without the run cache, which would give results without the time that they take
    options = ["--force", "--single-item", "--name", name]
    command = ["dvc", "exp", "run", *options, *changes(params), stage]
    with subprocess.Popen(command) as process:
        try:
            process.wait()
        except BaseException:
            process.terminate()  # the training ends with it
            raise
    if process.returncode:
        raise InputError(f"`{' '.join(command)}` failed: see above")
    cost = files.read_csv(times.FOLDER / f"{network}.csv", times.COLUMNS).set_index("epoch") / 60
    cost.columns = ["cpu_minutes", "wall_minutes"]
    history = files.read_csv(f"models/{network}/history.csv", HISTORY)
    lock = parse("dvc.lock")["stages"][stage]["outs"]
    [md5] = (out["md5"] for out in lock if out["path"] == f"models/{network}")
    processor = files.read_json(f"fingerprints/{stage}.json")["processor"]
    model = {"md5": md5, "processor": processor}
    return history.join(cost, on="epoch", validate="1:1"), model


def changes(params: dict[str, Any]) -> list[str]:
    """Spell params as `dvc exp run` takes them.

    >>> changes({"train.lr": 0.01, "train_better.sizes": [64, 96]})
    ['-S', 'train.lr=0.01', '-S', 'train_better.sizes=[64,96]']
    """
    return [word for key, value in params.items() for word in ("-S", f"{key}={spell(value)}")]


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
