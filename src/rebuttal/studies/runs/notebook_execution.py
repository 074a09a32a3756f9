"""Run a parameterized notebook in this process, and make the result the same each time.

Parameters are checked against the notebook's `parameters` cell before a kernel starts: papermill itself accepts a
misspelt one with a warning. The executed copy is a product to look at; nothing may depend on it.
"""

import ast
import contextlib
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rebuttal.base.quick_imports  # noqa: F401 - before nbformat

# isort: split
import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors
from traitlets.config import Config

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.base.temporary_folder import temporary_folder
from rebuttal.studies import warm
from rebuttal.studies.warm import kernel

KERNEL = "python3"
VOLATILE_CELL_METADATA = ("execution", "papermill", "collapsed", "scrolled")


class WarmKernels(AsyncKernelManager):
    """Starts kernels in processes of the warm server."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command as Jupyter gives it, with our launcher in the place of ipykernel's."""
        return [sys.executable, "-c", kernel.COMMAND, "-f", self.connection_file, *(extra_arguments or [])]


def execute(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run `notebook` with `parameters` in the project's root; write the normalised result to `output`.

    Raises:
        InputError: an unknown, missing or mistyped parameter, another kernel than python3, or a cell that failed;
            nothing is written then.
    """
    check(notebook, parameters)
    with temporary_folder("nb") as folder:  # short: a socket's path may have 107 characters
        finished = normalise(_run(notebook, dict(parameters), folder))
    text = json.dumps(finished, ensure_ascii=False, sort_keys=True)  # nbformat's own writer takes seconds
    write_text(output, text + "\n")
    return finished


def check(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that do not fit the notebook, and a notebook of another kernel."""
    node = _read(notebook)
    kernel = node.metadata.get("kernelspec", {}).get("name")
    if kernel != KERNEL:
        raise refuse(f"{notebook.name}: kernelspec.name", kernel, [KERNEL])
    defaults = declared(notebook)
    for name, given in parameters.items():
        if name not in defaults:
            raise refuse(f"{notebook.name}: parameter", name, sorted(defaults))
        _check_type(f"{notebook.name}: parameter {name}", given, defaults[name])
    for name, default in defaults.items():
        if default is None and parameters.get(name) is None:
            raise refuse(f"{notebook.name}: parameter {name}", None, "a value (it has no default)")


def declared(notebook: Path) -> dict[str, Any]:
    """The parameters that the notebook declares, with their defaults (None: must be given)."""
    try:
        found = papermill.inspect_notebook(str(notebook))
        return {name: ast.literal_eval(about["default"]) for name, about in found.items()}
    except (ValueError, SyntaxError) as error:
        allowed = "a Python kernelspec and a cell tagged 'parameters' of plain assignments"
        raise InputError(
            f"notebook {notebook.name}: {_first_line(str(error))}; allowed: {allowed}"
        ) from error


def normalise(notebook: NotebookNode) -> NotebookNode:
    """The same notebook without what differs between equal runs: times, progress, random ids, papermill's notes.

    The outputs are those of the notebook given, not copies: they can be large.
    """
    kernelspec = {"name": KERNEL, "display_name": "Python 3", "language": "python"}
    about = notebook | {
        "cells": [_clean(number, cell) for number, cell in enumerate(notebook.cells)],
        "metadata": nbformat.from_dict({"kernelspec": kernelspec}),
        "nbformat_minor": max(5, notebook.get("nbformat_minor", 5)),
    }
    return NotebookNode(about)


def _clean(number: int, cell: NotebookNode) -> NotebookNode:
    """A cell with a fixed id, lasting metadata, and what it said but on stderr."""
    metadata = {name: value for name, value in cell.metadata.items() if name not in VOLATILE_CELL_METADATA}
    said = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    changed = {"id": f"c{number}", "metadata": NotebookNode(metadata)} | (
        {"outputs": said} if "outputs" in cell else {}
    )
    return NotebookNode(cell | changed)


def _check_type(key: str, given: Any, default: Any) -> None:
    """A parameter has its default's type; a whole number may stand for a float; None fixes no type."""
    wanted = (int, float) if isinstance(default, float) else type(default)
    fits = default is None or (
        isinstance(given, wanted) and isinstance(given, bool) == isinstance(default, bool)
    )
    if not fits:
        raise refuse(key, given, f"a value of type {type(default).__name__}")


def _read(notebook: Path) -> NotebookNode:
    try:
        return nbformat.read(str(notebook), as_version=4)
    except (OSError, ValueError) as error:
        raise InputError(
            f"notebook {notebook}: cannot be read ({type(error).__name__}); allowed: an .ipynb file"
        ) from error


def _run(notebook: Path, parameters: dict[str, Any], folder: Path) -> NotebookNode:
    """papermill, with the kernel's progress on stderr and its sockets in `folder`: no port is opened or taken."""
    config = Config()
    if sys.platform != "win32":
        config.KernelManager.transport = "ipc"
        config.KernelManager.connection_file = str(folder / "k.json")
    if warm.offered():
        config.NotebookClient.kernel_manager_class = WarmKernels
    try:
        with _quiet(), contextlib.chdir(paths.root()):
            # What papermill.execute_notebook does, without its last step, which spells out the whole result once more.
            ready = papermill.execute_notebook(
                str(notebook), None, parameters, kernel_name=KERNEL, prepare_only=True
            )
            executed = papermill_engines.execute_notebook_with_engine(
                None,
                ready,
                KERNEL,
                input_path=str(notebook),
                progress_bar=False,
                stderr_file=sys.stderr,
                config=config,
            )
            raise_for_execution_errors(executed, None)
            return executed
    except RuntimeError as error:  # nbclient's and jupyter_client's, before and after the kernel has answered
        if "Kernel died" not in str(error):
            raise
        raise RunError(f"{notebook.name}: its kernel died; out of memory is the ordinary cause") from error
    except PapermillExecutionError as error:
        raise InputError(
            f"{notebook.name}, cell {error.cell_index}: {error.ename}: {_first_line(error.evalue)}"
        ) from error


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without papermill's progress notes and the deprecation warnings of its own libraries."""
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
