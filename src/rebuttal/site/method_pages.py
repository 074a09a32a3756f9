"""The pages of the methods: docs/methods as a part of the site, each with where its method was put to use."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import InputError
from rebuttal.evidence import papers
from rebuttal.evidence.ledger import evidence_of
from rebuttal.figures.theme import family
from rebuttal.methods import METHODS
from rebuttal.site import html, live, markdown, method_links, page
from rebuttal.site.files import reviewed
from rebuttal.site.page import Heading
from rebuttal.site.page_check import read_page

INDEX = "README"  # the page that lists them all, and has the table of methods
LINKED = re.compile(r"\[`(\w+)`\]\(\w+\.md\)\s*(.*)")  # the first cell of its rows: a method, and options
Row = Mapping[str, Any]


def write_methods(site: Path) -> None:
    """Write methods/index.html, and a page and a picture for each method, from docs/methods.

    The other pages of the site have to be there: each method's page lists which of them lead to it. Raises InputError
    if docs/methods has no page of methods.
    """
    folder = paths.root() / "docs" / method_links.FOLDER
    overview = folder / f"{INDEX}.md"
    if not overview.is_file():
        raise InputError(f"{overview}: no such file; allowed: the table of methods and a page for each")
    table, uses = overview.read_text(encoding="utf-8"), appearances(site)
    write_text(site / method_links.FOLDER / "index.html", _render(table, "index"))
    for path in sorted(folder.glob("*.md")):
        if path != overview:
            text = path.read_text(encoding="utf-8")
            more = [*_in_the_table(table, path.stem), *_where(uses.get(path.stem, {}))]
            write_text(site / method_links.address(path.stem), _render(text, path.stem, more))
    for picture in sorted(folder.glob("*.svg")):
        write_text(site / method_links.FOLDER / picture.name, live.picture(picture))


def appearances(site: Path) -> dict[str, dict[str, str]]:
    """Method -> address in the site -> what is there: the questions that are answered with it, then other pages."""
    found: dict[str, dict[str, str]] = {}
    for review in reviewed():
        title = papers.load(review["paper"]).title
        for row in review["rows"]:
            for name in dict.fromkeys(family(label) for label in _named(row)):
                found.setdefault(name, {})[f"{row['paper']}.html#{row['id']}"] = (
                    f"{title}, {row['id']}: {row['text']}"
                )
    for path in sorted(site.glob("*.html")):
        said = read_page(path)
        addresses = {method_links.address(name): name for name in METHODS}
        for name in sorted({addresses[one] for one in said.links if one in addresses}):
            found.setdefault(name, {})[path.name] = said.title
    return found


def _named(row: Row) -> Iterator[str]:
    """The methods and variants that the rules of a question name."""
    for one in evidence_of(row):
        for key in ("of", "against", "methods"):
            given = (one["rule"] or {}).get(key) or []
            yield from [given] if isinstance(given, str) else given


def _render(text: str, name: str, more: Sequence[tuple[Heading, str]] = ()) -> str:
    """A whole page from one of docs/methods, with `more` at its end."""
    found = re.search(r"^# (.*)$", text, re.MULTILINE)
    pictures, folder = [], paths.root() / "docs" / method_links.FOLDER

    def after(url: str) -> str:
        pictures.append(url)
        return live.steps_of(folder / url)

    (first, lede), *parts = markdown.parts(text, found[1] if found else name, _address, after)
    here = f"{method_links.FOLDER}/{name}.html"
    return page.titled(
        first.text, [*parts, *more], here, "a method of the workbench", lede, ["live"] if pictures else []
    )


def _address(url: str) -> str | None:
    """From an address in docs/methods to one in the site: pages of methods and their picture; None for other files."""
    file, _, anchor = url.partition("#")
    found = re.fullmatch(r"(\w+)\.md", file)
    if found is None:
        return file if re.fullmatch(r"\w+\.svg", file) else None
    name = "index" if found[1] == INDEX else found[1]
    return f"{name}.html" + (f"#{anchor}" if anchor else "")


def _in_the_table(table: str, name: str) -> list[tuple[Heading, str]]:
    """The rows of the method in the table of methods, as a table of their own: a column for each variant."""
    head, *lines = (line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| "))
    found = [(LINKED.match(first), cells) for first, *cells in lines]
    rows = [(match[2] or "as it is", cells) for match, cells in found if match and match[1] == name]
    if not rows:
        return []
    columns = ([escape(cell) for cell in cells] for _, cells in rows)
    cells = zip(map(escape, head[1:]), *columns, strict=True)
    caption = "Read off its time line on a small machine of four nodes"
    shown = html.table(("Measure", *(options for options, _ in rows)), cells, caption)
    more = html.link("What the measures mean, and all methods side by side", "index.html")
    return [(Heading(2, "measures", "Measures"), shown + html.element("p", more))]


def _where(uses: Mapping[str, str]) -> list[tuple[Heading, str]]:
    """The questions and pages on which a method appears."""
    lines = [
        html.element("li", html.link(text, posixpath.join("..", address))) for address, text in uses.items()
    ]
    said = (
        html.element("ul", "\n".join(lines))
        if lines
        else html.element("p", "On no other page of this site yet.")
    )
    return [(Heading(2, "where-it-appears", "Where it appears"), said)]
