"""Run Python as if on another processor, by qemu's user mode (Debian's package qemu-user)."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from stages.common.base.errors import InputError

QEMU = "qemu-x86_64"

# Where qemu has just moved 256 bits, this function of libm's makes an Intel processor wait; with
# the upper halves cleared first, a convolution is emulated twelve times as fast.
FMA = """
__attribute__((naked)) float fmaf(float a, float b, float c) {
    __asm__("vzeroupper\\n vfmadd213ss %xmm2, %xmm1, %xmm0\\n ret");
}
"""


def write_python(path: Path, processor: str) -> None:
    """Write a script that is called as `python`, and runs it emulated.

    Parameters
    ----------
    processor : str
        One of `qemu-x86_64 -cpu help`; its caches are emulated, too, AVX-512 is not.

    Raises
    ------
    InputError
        The emulator is not there.
    """
    if not shutil.which(QEMU):
        raise InputError(f"{QEMU} is not there: install qemu-user, such as with apt-get")
    path.parent.mkdir(parents=True)
    # check: it need not tell of what it leaves out of the processor
    command = [QEMU, "-U", "LD_PRELOAD", "-cpu", f"{processor},check=off", sys.executable]
    if shutil.which("gcc"):
        library = path.with_suffix(".so")
        gcc = ["gcc", "-shared", "-fPIC", "-fno-builtin", "-x", "c", "-", "-o", str(library)]
        if subprocess.run(gcc, input=FMA.encode(), stderr=subprocess.DEVNULL).returncode == 0:
            command = ["env", f"LD_PRELOAD={library}", *command]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
