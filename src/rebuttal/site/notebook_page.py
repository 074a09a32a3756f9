"""From an executed notebook to a page: its cells as sections of blocks, composed by a template; nothing is loaded.

A section with a question shows the question and the figure that decides it; its other figures wait behind a toggle.
What follows the heading `Appendix` is folded away, and so is the code of the cells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from rebuttal.site import figure, markdown, page, selection, selection_form, templates
from rebuttal.site.html import PAGE_MIME, PIECE_MIME
from rebuttal.site.page import Content, Heading
from rebuttal.site.verdict import LEDGER_MIME

APPENDIX = "Appendix"  # the heading from which on a page is folded away
RUN_BY_READER = "skip-execution"  # the tag of code that is shown, since a reader is to run it


@dataclass(frozen=True)
class PagePiece:
    """Prose of a cell, or one output. about: what an output is, as data (`html.PIECE_MIME`)."""

    html: str
    about: dict[str, Any] = field(default_factory=dict)
    before: str = ""  # of a figure, the prose that leads to it

    @property
    def opened(self) -> str:
        """As it stands where it is seen at once: a figure with its pictures."""
        return figure.with_pictures(self.html, self.about.get("pictures", ()))

    @property
    def closed(self) -> str:
        """As it stands behind a toggle: a figure is drawn when that is opened, and not printed."""
        return figure.with_pictures(self.html, ())

    @property
    def kind(self) -> str:
        """prose, figure, question, or html for what has no data."""
        return self.about.get("kind", "html")


@dataclass
class Chapter:
    """A heading of a notebook (None: before the first) and what stands below it."""

    heading: Heading | None
    blocks: list[PagePiece] = field(default_factory=list)

    @property
    def questions(self) -> list[PagePiece]:
        """The questions of the section."""
        return [one for one in self.blocks if one.kind == "question"]

    @property
    def figures(self) -> list[PagePiece]:
        """The figures of the section, each with the prose that leads to it."""
        found, prose = [], ""
        for one in self.blocks:
            if one.kind == "figure":
                found.append(PagePiece(one.html, one.about, prose))
            prose = prose + one.html if one.kind == "prose" else ""
        return found

    @property
    def background(self) -> list[PagePiece]:
        """Of a section with a question, what leads to no figure or to the deciding one."""
        led = "".join(one.before for one in self.more)
        return [one for one in self.blocks if one.kind not in ("question", "figure") and one.html not in led]

    @property
    def deciding(self) -> PagePiece | None:
        """The figure that decides the section's question, unless it is tall; its first if that one stands elsewhere.

        A question that is answered in words has none.
        """
        wanted = [name for one in self.questions for name in one.about["figures"]]
        if not (wanted and self.figures):
            return None
        known = {one.about["id"]: one for one in self.figures}
        found = next((known[name] for name in wanted if name in known), self.figures[0])
        return None if found.about["tall"] else found

    @property
    def more(self) -> list[PagePiece]:
        """The other figures of the section's question."""
        return [one for one in self.figures if one != self.deciding]


@dataclass(frozen=True)
class NotebookPage:
    """What an executed notebook has for a page. cells: the number of a cell, as Jupyter counts -> its code."""

    title: str
    sections: tuple[Chapter, ...]
    cells: dict[int, str]

    @property
    def blocks(self) -> list[PagePiece]:
        """Every block of the page."""
        return [block for section in self.sections for block in section.blocks]


def read(notebook: NotebookNode) -> NotebookPage:
    """The sections of a notebook. Its first heading is the page's title."""
    prose = markdown.Prose()
    sections, cells, waiting, number = [Chapter(None)], {}, "", 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            _add_prose(sections, prose, cell.source)
        elif RUN_BY_READER in tags:
            sections[-1].blocks.append(PagePiece(markdown.block_of_code(cell.source), {"kind": "prose"}))
        elif cell.cell_type == "code" and cell.source.strip():
            waiting += cell.source + "\n\n"
            number += "injected-parameters" not in tags
            shown = [block for output in cell.outputs for block in _shown(output)]
            sections[-1].blocks.extend(shown)
            if cell.outputs:
                cells[number], waiting = waiting.strip(), ""
    return NotebookPage(prose.title, tuple(sections), cells)


def _add_prose(sections: list[Chapter], prose: markdown.Prose, source: str) -> None:
    """The Markdown of a cell: every heading begins a section."""
    for heading, text in prose.parts(source):
        if heading is not None and heading.level > 1:
            sections.append(Chapter(heading))
        if text.strip():
            sections[-1].blocks.append(PagePiece(text, {"kind": "prose"}))


def _shown(output: NotebookNode) -> Iterator[PagePiece]:
    """An output as a page shows it best."""
    if output.output_type in ("display_data", "execute_result"):
        data, about = output.data, dict(output.data.get(PIECE_MIME, {}))
        found = next((data[mime] for mime in (PAGE_MIME, "text/html") if mime in data), None)
        if found is None and "text/plain" in data:
            found = markdown.block_of_code(data["text/plain"])
        if found is not None:
            yield PagePiece(str(found), about)
    elif output.output_type == "stream":
        yield PagePiece(markdown.block_of_code(output.text))


def render(
    notebook: NotebookNode, name: str, here: str, about: str = "measured evidence and computed verdicts"
) -> str:
    """A whole page from the notebook called `name`, its path from the project's root."""
    return page.render(*_content(read(notebook), name, about), here)


def _content(found: NotebookPage, name: str, about: str) -> tuple[Content, str]:
    first, *rest = found.sections
    cut = next((at for at, one in enumerate(rest) if one.heading and one.heading.text == APPENDIX), len(rest))
    shown, folded = rest[:cut], rest[cut + 1 :]
    dims = {name: _values(found.blocks, name) for name in selection.NAMES}
    form = selection_form.form(**dims)
    body = templates.render(
        "sections.html.j2", form=form, shown=shown, folded=folded, appendix=rest[cut : cut + 1], cells=found.cells,
        notebook=name,
    )  # fmt: skip
    headings = [_heading(one) for one in [*shown, *rest[cut : cut + 1]]]
    asked = any(one.word for one in headings)
    uses = {
        "selection": bool(form), "chart": any(one.about.get("charts") for one in found.blocks),
        "filter": any(one.kind == "filter" for one in found.blocks), "keys": asked,
    }  # fmt: skip
    lede = templates.render("lede.html.j2", blocks=first.blocks, asked=asked)
    used = tuple(name for name, has in uses.items() if has)
    content = Content(found.title, body, tuple(headings), used, lede, aside=asked)
    return content, f"{found.title}: {about}"


def _heading(section: Chapter) -> Heading:
    """What the contents say of a section: of a question, its id and its word."""
    heading = section.heading or Heading(2, "top", "Top")
    if not section.questions:
        return heading
    about = section.questions[0].about
    return Heading(heading.level, about["id"], heading.text, about["word"])


def _values(blocks: Sequence[PagePiece], name: str) -> list[str]:
    """What can be selected of the figures, each value once, in order of appearance."""
    return list(dict.fromkeys(value for one in blocks for value in one.about.get(name, ())))


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
