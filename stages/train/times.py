"""How long the epochs of a training take, kept in a file that is no out: it differs at each run."""

import time
from pathlib import Path

import pandas as pd

from stages.common.base import files

FOLDER = Path("models/.times")
COLUMNS = {"epoch": int, "cpu_seconds": float, "wall_seconds": float}


class Times:
    """The time that each epoch has ended at, since the training began, in `<network>.csv`.

    Processor time is that of this process with all its threads. A training that was stopped goes
    on from the times of its last finished epoch.
    """

    def __init__(self, network: str, finished_epochs: int):
        self._path = FOLDER / f"{network}.csv"
        self._rows = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
        if finished_epochs and self._path.exists():
            kept = files.read_csv(self._path, COLUMNS)
            self._rows = kept[kept["epoch"] <= finished_epochs]
        last = self._rows[["cpu_seconds", "wall_seconds"]].max().fillna(0.0)
        self._cpu_before, self._wall_before = last
        self._first, self._start, self.seconds = finished_epochs, time.monotonic(), 0.0
        self._cpu_start = time.process_time()
        self.seconds_per_epoch = 0.0

    def add(self, epoch: int) -> None:
        """Note the end of an epoch; `seconds` is then the time since this process went on."""
        self.seconds = time.monotonic() - self._start
        self.seconds_per_epoch = self.seconds / (epoch - self._first)
        cpu = self._cpu_before + time.process_time() - self._cpu_start
        wall = self._wall_before + self.seconds
        self._rows.loc[len(self._rows)] = [epoch, cpu, wall]
        files.write_csv(self._path, self._rows.astype(COLUMNS), COLUMNS)
