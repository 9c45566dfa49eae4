"""A study of known answers, without files and networks."""

import numpy as np
import pandas as pd
import pytest
import torch

from stages.common.dataset import Dataset
from stages.common.study import NETWORKS
from stages.common.tables.evaluation import RELIABILITY
from stages.explore.run import Answers, Maps

torch.set_num_threads(1)
PATCHES, STRIDES = [16, 32], {"mean": 4, "blur": 8, "noise": 8}


class Known:
    """Images of random patches of colour in some classes, and answers drawn at random.

    The later a network comes in the study, the more often it is right. The first ten validation
    images have maps of q1, where the true class suffers most from the patch at (8, 8); those from 8
    to 13 have maps of better, of one patch and fill.
    """

    def __init__(self, classes: list[str], val: int = 40, test: int = 60, mapped: int = 10):
        rng = np.random.default_rng(0)
        count, kinds = val + test, len(classes)
        labels = np.arange(count) % kinds
        small = rng.integers(0, 256, (count, 12, 12, 3), np.uint8)
        images = small.repeat(8, axis=1).repeat(8, axis=2)
        splits = {"train": np.arange(0), "val": np.arange(val), "test": np.arange(val, count)}
        self.data = Dataset(images, labels, classes, splits, np.full(3, 0.5), np.ones(3))
        hints = np.eye(kinds)[labels]
        logits = {
            name: rng.normal(size=(count, kinds)) * 1.5 + hints * (1 + number)
            for number, name in enumerate(NETWORKS)
        }
        self.answers = {
            split: Answers(of, labels[of], {name: all_[of] for name, all_ in logits.items()})
            for split, of in splits.items()
            if split != "train"
        }
        index = np.arange(mapped)
        grids = []
        for patch in PATCHES:
            for stride in STRIDES.values():
                side = (96 - patch) // stride + 1
                grid = rng.normal(size=(mapped, side, side, kinds)) * 0.1
                grid += logits["q1"][index][:, None, None]
                grid[index, 8 // stride, 8 // stride, labels[index]] -= 9
                grids.append(grid.astype(np.float32))
        about = {
            "network": "q1",
            "patches": PATCHES,
            "fills": list(STRIDES),
            "strides": STRIDES,
        }
        self.maps = Maps(about, index, logits["q1"][index], grids, None)
        about = about | {"network": "better", "patches": [32], "fills": ["mean"]}
        index = np.arange(8, 14)
        grid = np.repeat(logits["better"][index], 17 * 17, axis=0).reshape(6, 17, 17, kinds)
        whole = logits["better"][index]
        self.others = Maps(about, index, whole, [grid.astype(np.float32)], None)
        rows = [("val", 0.4, 0.6, 30, 0.5, 0.6), ("test", 0.4, 0.6, 60, 0.5, 0.7)]
        table = pd.DataFrame(rows, columns=list(RELIABILITY))
        self.tables = {name: table for name in NETWORKS}

    @property
    def parts(self) -> tuple:
        return self.data, self.answers, [self.maps, self.others], self.tables


@pytest.fixture(scope="session")
def known() -> Known:
    return Known(["bird", "cat", "dog"])
