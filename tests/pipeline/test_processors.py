"""What the stages compute on a processor that this machine has not."""

import shutil
import subprocess
import sys

import pytest

from tests.conftest import environment, snapshot
from tools.verify.emulator import QEMU, write_python


@pytest.mark.skipif(not shutil.which(QEMU), reason=f"{QEMU} is not installed (Debian: qemu-user)")
@pytest.mark.timeout(600)
def test_the_least_of_each_kind_is_the_same_to_the_byte_on_the_first_with_avx2(study, tmp_path):
    study.write_params(compute={"threads": 2})
    write_python(tmp_path / "bin/python", "Haswell")
    results = []
    for python in (sys.executable, tmp_path / "bin/python"):
        folder = tmp_path / f"results{len(results)}"
        folder.mkdir()
        command = [python, "-m", "tests.pipeline.computed", folder]
        subprocess.run(command, env=environment(), check=True)
        results.append(
            {path.removeprefix(str(folder)): data for path, data in snapshot(folder).items()}
        )
    assert len(results[0]) == 6
    assert results[0] == results[1]
