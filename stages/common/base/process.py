"""How a stage's process ends: a mistake in one line, an interruption with its code, with DVC."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil

from stages.common.base.errors import InputError

PATIENCE = 5  # seconds that a silent process waits for the one that speaks
ENDS = threading.Lock()  # held by the thread that ends the process


class Terminated(KeyboardInterrupt):
    """The system asks the process to end: the same as Ctrl-C but for the exit code."""


def run_main(
    main: Callable[[], None],
    then: str | None = "`dvc repro` starts this stage again",
    speaks: bool = True,
) -> None:
    """Call a stage's `main`; a user's mistake ends in one line on stderr and exit code 1.

    So does an interruption, by Ctrl-C or SIGTERM, with the code that is usual for it, and the loss
    of the `dvc` that started the stage. Anything else is a defect of the project and keeps its
    traceback.

    Parameters
    ----------
    then : str, optional
        How to go on after an interruption; None where another process says it.
    speaks : bool
        Whether a mistake is this process's to tell, or that of another one that meets it too.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_end_with_dvc, args=(then,), daemon=True).start()
    for stream in (sys.stdout, sys.stderr):
        # a class name that the terminal cannot show must not end the run
        stream.reconfigure(errors="replace")
    try:
        main()
    except InputError as error:
        _fail(str(error), speaks)
    except OSError as error:
        # a full disk, a file that may not be written: the system's own words and the path
        where = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", speaks)
    except (MemoryError, RuntimeError) as error:
        # torch tells of an exhausted GPU by a RuntimeError
        if isinstance(error, RuntimeError) and "out of memory" not in str(error):
            raise
        _fail("out of memory: lower train.batch_size in params.yaml, or take the cpu", speaks)
    except KeyboardInterrupt as interruption:
        number = signal.SIGTERM if isinstance(interruption, Terminated) else signal.SIGINT
        _end_interrupted(then, 128 + number)


def _end_interrupted(then: str | None, code: int) -> None:
    """Say how to go on, once, and end the process."""
    ENDS.acquire()  # and never released: another thread that comes here waits for the end
    try:
        if then:
            if sys.stderr.isatty():
                print(file=sys.stderr)  # the line begins after a bar that stays where it was
            print(f"interrupted, no result was written: {then}", file=sys.stderr, flush=True)
    finally:
        # at once: what torch and the readers of files would still tidy up takes its time
        os._exit(code)


def _fail(message: str, speaks: bool) -> None:
    if not speaks:
        # whoever ends first has the others ended: it must be the one that speaks
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(PATIENCE)
        os._exit(1)
    sys.exit(f"error: {message}")


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def dvc_above() -> list[psutil.Process]:
    """List the processes from this one up to the `dvc` command that started it, that one last.

    DVC starts a stage by way of a shell, which may stay between the two. Empty where there is no
    `dvc` above.
    """
    lineage = [psutil.Process()]
    while (parent := lineage[-1].parent()) is not None:
        lineage.append(parent)
        if "dvc" in (Path(part).stem for part in parent.cmdline()[:3]):
            return lineage
    return []


def _end_with_dvc(then: str | None) -> None:
    """End this process when the `dvc` that started it is gone: the next one must not meet it.

    A signal that ends both may find the main thread amid a long step, where no handler runs.
    """
    with suppress(psutil.Error):
        lineage = dvc_above() or [psutil.Process(), psutil.Process().parent()]
        # a process that has lost its parent is given another
        while all(child.ppid() == parent.pid for child, parent in pairwise(lineage)):
            time.sleep(0.2)
    _end_interrupted(then, 1)
