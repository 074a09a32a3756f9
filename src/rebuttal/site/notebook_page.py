"""From an executed notebook to a page: nbconvert with this package's own template, which loads nothing."""

import re
from collections.abc import Iterator
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode

from rebuttal.site import page
from rebuttal.site.html import PAGE_MIME
from rebuttal.site.verdict import LEDGER_MIME

SHOWN = (PAGE_MIME, "text/html", "text/plain")


class PageExporter(TemplateExporter):
    """The notebook template of this package, on its own: no theme of nbconvert takes part."""

    template_name = "notebook"
    file_extension = ".html"
    output_mimetype = "text/html"

    @property
    def template_paths(self) -> list[str]:  # type: ignore[override]
        """Only the package's own folder, whatever is installed or configured on this machine."""
        return [str(page.TEMPLATES / "notebook")]


def body(notebook: NotebookNode, name: str) -> str:
    """The HTML of all cells. name: the notebook's path from the project's root."""
    shown = NotebookNode(notebook | {"cells": [_light(cell) for cell in notebook.cells]})
    text, _ = PageExporter().from_notebook_node(shown, resources={"page_mime": PAGE_MIME, "notebook": name})
    return re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", text)


def _light(cell: NotebookNode) -> NotebookNode:
    """A cell without the data that a page does not show: nbconvert copies all of it, twice."""
    outputs = [
        output | {"data": {mime: output.data[mime] for mime in SHOWN if mime in output.data}}
        if "data" in output
        else output
        for output in cell.get("outputs", [])
    ]
    return NotebookNode(cell | {"outputs": list(map(NotebookNode, outputs))}) if outputs else cell


def render(
    notebook: NotebookNode, name: str, here: str, about: str = "measured evidence and computed verdicts"
) -> str:
    """A whole page from the notebook called `name`: its title comes from the first cell, its description too."""
    return page.titled(body(notebook, name), here, about)


def ledger_rows(notebook: NotebookNode) -> list[dict[str, Any]]:
    """The ledger rows that the executed cells left in their outputs, each id once."""
    return list(
        {row["id"]: row for bundle in bundles(notebook) for row in bundle.get(LEDGER_MIME, [])}.values()
    )


def bundles(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    """The data of every displayed output."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            yield output.get("data", {})
