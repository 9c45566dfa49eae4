"""Record which files of the project a stage opens; Python imports this when it starts.

Under DVC alone, into a file named like the stage in the folder that `OPENED` names.
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

    sys.addaudithook(note)
