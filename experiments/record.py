"""What has been measured: a row for each epoch of each training, and the metrics of the study."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from stages.common.base import files

FOLDER = Path(__file__).parent
REMEDY = "run `git checkout experiments` to restore it"
CURVES, MODELS = FOLDER / "curves.csv", FOLDER / "models.csv"
METRICS, PLOTS = FOLDER / "metrics", FOLDER / "plots"
# minutes are counted from the start of the training
COLUMNS = {"experiment": str, "seed": int, "epoch": int}
COLUMNS |= {"cpu_minutes": float, "wall_minutes": float}
COLUMNS |= {"train_accuracy": float, "val_accuracy": float}
# md5 is that of the folder, as in dvc.lock
MODEL_COLUMNS = {"experiment": str, "seed": int, "md5": str, "processor": str}


def read() -> pd.DataFrame:
    """Read the curves; an empty frame where there are none yet."""
    if CURVES.exists():
        return files.read_csv(CURVES, COLUMNS, REMEDY)
    return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)


def curve(names: list[str], seed: int) -> pd.DataFrame:
    """Return the curve of the first of some experiments that has been run with this seed."""
    curves = read()
    found = [curves[(curves["experiment"] == one) & (curves["seed"] == seed)] for one in names]
    return next((one for one in found if len(one)), curves[:0])


def add(name: str, seed: int, curve: pd.DataFrame) -> None:
    """Add the curve of a training, which has all columns but the name and the seed."""
    curve = curve.assign(experiment=name, seed=seed)[list(COLUMNS)]
    files.write_csv(CURVES, pd.concat([read(), curve]).round(4))


def read_models() -> pd.DataFrame:
    """Read what is known of each model; an empty frame where there are none yet."""
    if MODELS.exists():
        return files.read_csv(MODELS, MODEL_COLUMNS, REMEDY)
    return pd.DataFrame(columns=list(MODEL_COLUMNS)).astype(MODEL_COLUMNS)


def add_model(name: str, seed: int, model: dict[str, str]) -> None:
    """Add the hash of a model, and the processor that it was trained on."""
    row = pd.DataFrame([{"experiment": name, "seed": seed} | model])
    files.write_csv(MODELS, pd.concat([read_models(), row]))


def read_metrics() -> dict[int, dict[str, Any]]:
    """Read the metrics of the study: of each seed, each file by its name."""
    return {
        int(seed.name.removeprefix("seed-")): {
            path.stem: files.read_json(path, REMEDY) for path in sorted(seed.glob("*.json"))
        }
        for seed in sorted(METRICS.glob("seed-*"))
    }


def keep(file: str | Path, to: Path) -> None:
    """Copy what a stage wrote."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
