"""The checksums are those of DVC."""

import hashlib
import subprocess
import sys

from ruamel.yaml import YAML

from stages.report.checksums import md5


def test_a_folder_has_the_hash_that_dvc_gives_it(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.txt", "a.txt", "ä ö.txt", "deep/c.txt", "deep.txt"):
        (folder / name).write_text(name)
    (tmp_path / "one").write_bytes(b"one\r\n")
    for command in (["init", "--no-scm", "--quiet"], ["add", "--quiet", "data", "one"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)
    for name in ("data", "one"):
        [out] = YAML(typ="safe").load(tmp_path / f"{name}.dvc")["outs"]
        assert md5(tmp_path / name) == out["md5"]


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert md5(tmp_path / "file") == hashlib.md5(b"abc").hexdigest()
