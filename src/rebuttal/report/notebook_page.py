"""From an executed notebook to a page: nbconvert with this package's own template, which loads nothing."""

import html
import re
from collections.abc import Iterator
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode

from rebuttal.report import page
from rebuttal.report.html import PAGE_MIME
from rebuttal.report.verdict import LEDGER_MIME

HEADING = re.compile(r"<h([12])([^>]*)>(.*?)</h\1>", re.DOTALL)


class PageExporter(TemplateExporter):
    """The notebook template of this package, on its own: no theme of nbconvert takes part."""

    template_name = "notebook"
    file_extension = ".html"
    output_mimetype = "text/html"

    @property
    def template_paths(self) -> list[str]:  # type: ignore[override]
        """Only the package's own folder, whatever is installed or configured on this machine."""
        return [str(page.TEMPLATES / "notebook")]


def body(notebook: NotebookNode) -> str:
    """The HTML of all cells."""
    text, _ = PageExporter().from_notebook_node(notebook, resources={"page_mime": PAGE_MIME})
    return re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", text)


def render(notebook: NotebookNode, here: str, about: str = "measured evidence and computed verdicts") -> str:
    """A whole page: the title comes from the notebook's first cell, and the description is it and `about`."""
    text = body(notebook)
    title = next((strip(found[3]) for found in HEADING.finditer(text) if found[1] == "1"), here)
    return page.render(title, f"{title}: {about}", with_contents(text), here)


def with_contents(text: str) -> str:
    """The body with a list of its chapters after the first heading."""
    chapters = [found for found in HEADING.finditer(text) if found[1] == "2" and 'id="' in found[2]]
    if len(chapters) < 3:
        return text
    links = "".join(
        f'<li><a href="#{anchor(found[2])}">{html.escape(strip(found[3]))}</a></li>' for found in chapters
    )
    contents = f'<nav aria-label="Contents"><ol class="toc">{links}</ol></nav>'
    return re.sub(r"(</h1>)", rf"\1{contents}", text, count=1)


def anchor(attributes: str) -> str:
    """The id among a heading's attributes."""
    found = re.search(r'id="([^"]*)"', attributes)
    return found[1] if found else ""


def strip(text: str) -> str:
    """The text of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


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
