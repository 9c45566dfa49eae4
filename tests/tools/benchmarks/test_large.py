import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from PIL import Image

from stages.common import images
from tools.benchmarks import large
from tools.benchmarks.watch import watch


def test_each_photograph_is_written_so_many_times_and_never_twice_alike(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photos/{name}/one.png")
    (tmp_path / "many").mkdir()
    folder = large.multiply(tmp_path / "photos", 3, tmp_path / "many")
    written = sorted(folder.glob("*/*.jpg"))
    assert [file.parent.name for file in written] == ["cat"] * 3 + ["dog"] * 3
    assert len({images.read(file)[0].tobytes() for file in written}) == 6


def test_memory_of_a_stage_is_that_of_its_processes(monkeypatch):
    code = "import os, subprocess, sys, time; block = b'x' * 2**26\n"
    child = "import time; block = b'x' * 2**25; time.sleep(9)"
    code += f"subprocess.run([sys.executable, '-c', {child!r}])"
    monkeypatch.setenv("DVC_STAGE", "split")
    with watch() as stages:
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        try:
            deadline = time.monotonic() + 8
            while stages.get("split", (0, 0, 0))[2] < 3 * 2**25:
                assert time.monotonic() < deadline, stages
                time.sleep(0.1)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    first, last, most = stages["split"]
    assert first <= last and 3 * 2**25 <= most < 2**27


def test_a_million_is_reckoned_from_both_sizes():
    rows = [(1_000, "split", 10.0, 2**20), (11_000, "split", 30.0, 2**21)]
    table = large.markdown(pd.DataFrame(rows, columns=large.COLUMNS))
    # 8 s, and 2 ms an image
    cells = [cell.strip() for cell in table.splitlines()[-1].strip("|").split("|")]
    assert cells == ["split", "10 s", "30 s", "0.6 h", "1 MiB", "2 MiB"]
