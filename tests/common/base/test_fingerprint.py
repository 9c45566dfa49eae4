"""What is recorded of the machine and the versions, and where."""

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np

from stages.common.base import fingerprint
from tests.conftest import ROOT


def test_a_fingerprint_names_what_may_change_the_last_bits():
    found = fingerprint.collect(device="cpu", threads=3)
    assert (found["device"], found["threads"]) == ("cpu", 3)
    assert found["python"] == platform.python_version()
    assert found["torch"] == metadata.version("torch")
    assert found["numpy"] == np.__version__
    assert platform.machine() in found["platform"]
    assert found["processor"]


def test_generations_of_one_name_are_told_apart(tmp_path, monkeypatch):
    core = "cpu family\t: {family}\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n"
    monkeypatch.setattr(fingerprint, "CPUINFO", tmp_path / "cpuinfo")
    fingerprint.CPUINFO.write_text(core.format(family=26) + core.format(family=27))
    found = fingerprint.collect()
    assert found["processor"] == "AMD EPYC, family 26, model 2"
    # as on a processor that has none of these lines, or where there are no such files
    fingerprint.CPUINFO.write_text("processor\t: 0\n")
    assert fingerprint.collect()["processor"] == platform.processor()
    monkeypatch.setattr(fingerprint, "CPUINFO", tmp_path / "none")
    assert fingerprint.collect()["processor"] == platform.processor()


def test_a_fingerprint_is_the_same_in_another_process_whatever_the_environment(tmp_path):
    code = "import json\nfrom stages.common.base import fingerprint\n"
    code += "print(json.dumps(fingerprint.collect()))"
    environment = {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "7",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    command = [sys.executable, "-c", code]
    shown = subprocess.check_output(command, env=os.environ | environment, cwd=tmp_path)
    assert json.loads(shown) == fingerprint.collect()


def test_it_is_printed_in_one_line_and_kept_only_where_dvc_runs_the_stage(
    study, monkeypatch, capsys
):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    fingerprint.record(threads=3)
    assert not Path("fingerprints").exists()
    monkeypatch.setenv("DVC_STAGE", "evaluate@q1")
    recorded = fingerprint.record(threads=3)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2 and out[0] == out[1]
    assert "threads 3" in out[0] and f"python {platform.python_version()}" in out[0]
    assert json.loads(Path("fingerprints/evaluate@q1.json").read_text()) == recorded
