"""Progress: plain lines in a log, a bar on a terminal."""

import os
import re
import subprocess
import sys

import pytest

from stages.common.base import progress as module
from stages.common.base.progress import progress
from tests.conftest import ROOT

pty = pytest.importorskip("pty", reason="no terminals of this kind on this system")
termios = pytest.importorskip("termios")


def test_progress_in_a_log_is_plain_lines(capsys, monkeypatch):
    monkeypatch.setattr(module, "LOG_SECONDS", 0)
    assert list(progress(iter("abcd"), "reading", 4)) == list("abcd")
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "\r" not in out and err == ""
    assert len(lines) == 3  # none for the last: there is nothing left to wait for
    assert re.fullmatch(r"reading: 1 of 4 images, about \d+ s left", lines[0])
    assert lines[2].startswith("reading: 3 of 4 images")


def test_progress_in_a_log_stays_silent_while_the_work_is_short(capsys):
    assert list(progress([1, 2, 3], "reading", 3, unit="step")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_the_time_that_is_left_is_in_proportion(capsys, monkeypatch):
    clock = iter([100.0, 110.0, 120.0, 140.0, 160.0])  # start, then after each item
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    list(progress("abcd", "reading", 4, unit="map"))
    out = capsys.readouterr().out
    # 15 seconds must pass between two lines: after 10 s none, after 20 s one, after 40 s another
    assert out.splitlines() == [
        "reading: 2 of 4 maps, about 20 s left",
        "reading: 3 of 4 maps, about 13 s left",
    ]


def test_a_terminal_gets_a_bar_with_the_time_left():
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 80))
    code = (
        "import time\n"
        "from stages.common.base.progress import progress\n"
        "given = []\n"
        "for item in progress(range(4), 'reading', 4):\n"
        "    given.append(item)\n"
        "    time.sleep(0.15)\n"
        "print(given)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=side,
        text=True,
        timeout=60,
    )
    os.set_blocking(main, False)
    drawn = os.read(main, 65536)
    os.close(side)
    os.close(main)
    assert result.stdout == "[0, 1, 2, 3]\n"
    assert re.search(rb"reading:\s+50%\|.*\| 2/4 \[\d\d:\d\d<\d\d:\d\d", drawn), drawn
    assert b"\r" in drawn
