"""The notebook that is handed in: written as Markdown, run in the project's folder."""

import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from stages.common.base.errors import InputError, reason

SOURCE = Path(__file__).with_name("walkthrough.md")
SECONDS = 300  # for one cell
TRANSPORT = "ipc" if os.name == "posix" else "tcp"  # a port could be read by others on the machine


def from_markdown(text: str) -> nbformat.NotebookNode:
    """Make a notebook of Markdown: each fenced block of Python is a cell of code."""
    cells = []
    for i, part in enumerate(re.split(r"^```python\n(.*?)^```\n?", text, flags=re.S | re.M)):
        new_cell = nbformat.v4.new_code_cell if i % 2 else nbformat.v4.new_markdown_cell
        if part.strip():
            # a name that is drawn would be another one at each run
            cells.append(new_cell(part.strip(), id=f"cell-{len(cells) + 1}"))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run a notebook in place; the same results are the same bytes.

    Raises
    ------
    InputError
        A cell failed: the first line of what it says.
    """
    with tempfile.TemporaryDirectory(prefix="notebook-") as own:
        # neither the user's profile nor his history has a part in it
        os.environ |= {"JUPYTER_RUNTIME_DIR": own, "IPYTHONDIR": own, "MPLCONFIGDIR": own}
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            config=Config({"KernelManager": {"transport": TRANSPORT}}),
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise InputError(
                f"the notebook failed: {error.ename}: {reason(ValueError(error.evalue))}"
            ) from None
