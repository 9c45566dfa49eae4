"""Many image files, read by several processes: each image in its place, none left over."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from stages.common import image_files, images
from stages.common.base import processes
from tests.conftest import ROOT

ONE_CORE = pytest.mark.skipif(processes.cores() == 1, reason="one core needs no other process")
COUNT = processes.FEW + 3 * processes.CHUNK


@pytest.fixture
def files(tmp_path):
    """As many files as are read by several processes, each of a colour of its own."""
    paths = [tmp_path / f"{number:03}.png" for number in range(COUNT)]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 50), (number % 256, number // 256, 0)).save(path)
    return paths


def readers(of: psutil.Process) -> list[psutil.Process]:
    return [process for process in of.children() if "spawn_main" in " ".join(process.cmdline())]


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_they_come_in_order_and_broken_ones_are_told_in_order(files):
    for number in (100, 3):
        files[number].write_bytes(b"\x89PNG\r\n\x1a\n")
    files[200].unlink()
    broken = []
    found = list(image_files.read(files, broken))
    assert [file for file, _, _ in found] == files
    assert [told.split()[0] for told in broken] == [str(files[i]) for i in (3, 100, 200)]
    good = [image for _, image, _ in found if image is not None]
    expected = [images.read(file)[0] for i, file in enumerate(files) if i not in (3, 100, 200)]
    assert np.array_equal(good, expected)
    assert found[3][1:] == (None, b"") and len({checksum for _, _, checksum in found}) == COUNT - 2


@ONE_CORE
def test_those_that_read_end_with_the_one_that_is_killed(files):
    code = "import sys, time\nfrom pathlib import Path\nfrom stages.common import image_files\n"
    code += "found = image_files.read([*map(Path, sys.argv[1:])] * 20, [])\n"
    code += "next(found)\nprint('reads', flush=True)\ntime.sleep(60)\n"
    command = [sys.executable, "-c", code, *map(str, files)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout.readline() == "reads\n"
        reading = readers(psutil.Process(started.pid))
        started.kill()
    assert reading
    deadline = time.monotonic() + 20
    while any(map(runs, reading)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@ONE_CORE
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_is_told_in_one_line(files, number, code):
    """Neither those that read nor what they share says more."""
    code_of = "import sys, time\nfrom pathlib import Path\nfrom stages.common import image_files\n"
    code_of += "from stages.common.base.process import run_main\n"
    code_of += (
        "def main():\n    for found in image_files.read([*map(Path, sys.argv[1:])] * 20, []):\n"
    )
    code_of += "        print('reads', flush=True)\n        time.sleep(0.01)\n"
    code_of += "if __name__ == '__main__':\n    run_main(main)\n"
    command = [sys.executable, "-c", code_of, *map(str, files)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as started:
        assert started.stdout.readline() == "reads\n"
        reading = readers(psutil.Process(started.pid))
        os.killpg(started.pid, number) if number == signal.SIGINT else started.send_signal(number)
        errors = started.communicate(timeout=60)[1]
    assert started.returncode == code
    assert errors == "interrupted, no result was written: `dvc repro` starts this stage again\n"
    assert reading and not any(map(runs, reading))
