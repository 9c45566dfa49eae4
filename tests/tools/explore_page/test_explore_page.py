"""The library of the page of `explore` is the one that npm has, whole and unchanged."""

import shutil
import subprocess

import pytest

from tools.explore_page.__main__ import FILE, INTEGRITY, PACKAGE, fetch, script


@pytest.fixture(scope="module")
def npm():
    """Skip where there is no npm, or nothing that it could reach."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    if subprocess.run(["npm", "view", PACKAGE, "version"], capture_output=True).returncode:
        pytest.skip("npm reaches no registry")


def test_the_file_is_what_the_command_writes(npm):
    assert FILE.read_text(encoding="utf-8") == script(*fetch(PACKAGE, INTEGRITY))


def test_another_package_than_the_checksum_says_is_refused(npm):
    with pytest.raises(SystemExit, match=f"error: {PACKAGE} has the checksum sha512-"):
        fetch(PACKAGE, "sha512-AAAA")


def test_a_package_that_is_not_there_is_told_in_one_line(npm):
    with pytest.raises(SystemExit, match="error: npm: .+"):
        fetch("preact@0.0.0-none", INTEGRITY)
