"""Record what a stage opens and reads; Python imports this when it starts.

These are the files of the project, and with a `$` before their name the variables of the
environment that the stages' own code asks for. Under DVC alone, into a file named like the stage in
the folder that `OPENED` names.
"""

import os
import sys

if (stage := os.environ.get("DVC_STAGE")) and (folder := os.environ.get("OPENED")):
    sys.dont_write_bytecode = True  # so that modules are opened, not what is compiled of them
    project = os.getcwd() + os.sep
    record = os.open(f"{folder}/{stage}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path.startswith(project):
                os.write(record, path.removeprefix(project).encode() + b"\n")

    class Noted(type(os.environ)):
        """The environment; each way of reading it, `os.getenv` too, comes by here."""

        def __getitem__(self, name: str) -> str:
            frame = sys._getframe(1)
            while frame.f_globals["__name__"] in ("os", "collections.abc"):
                frame = frame.f_back
            if frame.f_code.co_filename.startswith(f"{project}stages{os.sep}"):
                os.write(record, f"${name}\n".encode())
            return super().__getitem__(name)

    os.environ.__class__ = Noted
    sys.addaudithook(note)
