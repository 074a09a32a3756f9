"""HTML by hand: a few elements, always escaped, always accessible."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape, unescape
from itertools import zip_longest

from rebuttal.evidence.naming import number  # noqa: F401 - where pages look for it
from rebuttal.figures.theme import Entry

PAGE_MIME = "application/vnd.rebuttal.site.page+html"  # a notebook output as the published page shows it
PIECE_MIME = "application/vnd.rebuttal.site.piece+json"  # what a notebook output is, as data for its page
SYMBOLS = {"supported": "✓", "contradicted": "✗", "depends": "±", "no difference": "=", "cannot tell": "?",
           "answered": "¶", "open": "○"}  # fmt: skip
MARKS = {
    "circle": '<circle cx="14" cy="7" r="4"/>',
    "square": '<rect x="10.5" y="3.5" width="7" height="7"/>',
    "diamond": '<path d="M14 2l5 5-5 5-5-5z"/>',
    "triangle-up": '<path d="M14 2.5l4.8 8.5H9.2z"/>',
    "triangle-down": '<path d="M14 11.5L9.2 3h9.6z"/>',
    "triangle-right": '<path d="M18.5 7L10 11.8V2.2z"/>',
    "triangle-left": '<path d="M9.5 7L18 2.2v9.6z"/>',
    "cross": '<path d="M12 2h4v3h3v4h-3v3h-4V9H9V5h3z"/>',
    "tick": '<rect x="13" y="1.5" width="2" height="11"/>',
}


def element(name: str, content: str, **attributes: str) -> str:
    """`<name a="b">content</name>`; content is HTML already, attributes are escaped (class_ -> class)."""
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>"


def _attribute(key: str, value: str) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f' {name}="{escape(value)}"'


def text(content: str) -> str:
    """The text of a piece of HTML: what a reader sees of it."""
    return unescape(re.sub(r"<[^>]+>", "", content)).strip()


def link(text: str, address: str) -> str:
    """A link within the site."""
    return element("a", escape(text), href=address)


def badge(word: str, part: str = "") -> str:
    """A word as a coloured pill with a symbol and the word itself, after the name of the part that it is of."""
    sign = element("span", SYMBOLS.get(word, "?"), aria_hidden="true")
    said = f"{part}: {word}" if part else word
    return element("span", f"{sign}{escape(said)}", class_=f"badge {word.replace(' ', '-')}")


def facts(pairs: Mapping[str, str]) -> str:
    """A list of name and HTML value, each pair on its own line; empty values are left out."""
    lines = "".join(f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" for k, v in pairs.items() if v)
    return element("dl", lines, class_="facts")


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    class_: str = "",
    marks: Iterable[Mapping[str, str]] = (),
) -> str:
    """A table whose cells are HTML; the first cell of a row is its heading. `cards` stack on a narrow page.

    marks: attributes of each row, for scripts.
    """
    return _table(head, f"<tbody>\n{_rows(head, rows, marks, class_)}</tbody>", caption, class_)


def grouped_table(
    head: Sequence[str],
    groups: Iterable[tuple[str, Iterable[Sequence[str]], Iterable[Mapping[str, str]]]],
    caption: str,
    class_: str = "",
) -> str:
    """A table of several groups of rows, each (heading, rows, attributes of each row)."""
    bodies = (
        f'<tbody>\n<tr class="group"><th scope="rowgroup" colspan="{len(head)}"><span>{escape(name)}</span></th></tr>\n'
        f"{_rows(head, rows, marks, class_)}</tbody>"
        for name, rows, marks in groups
    )
    return _table(head, "\n".join(bodies), caption, class_)


def _rows(
    head: Sequence[str], rows: Iterable[Sequence[str]], marks: Iterable[Mapping[str, str]], class_: str
) -> str:
    """Rows; of a table that stacks on a narrow page, every cell with the head of its column."""
    body, stacks = "", "cards" in class_.split()
    for (first, *rest), mark in zip_longest(rows, marks, fillvalue={}):
        labels = [f' data-label="{escape(name)}"' if stacks else "" for name in head[1:]]
        cells = "".join(f"<td{label}>{cell}</td>" for label, cell in zip(labels, rest, strict=True))
        body += element("tr", f'<th scope="row">{first}</th>{cells}', **mark) + "\n"
    return body


def _table(head: Sequence[str], bodies: str, caption: str, class_: str) -> str:
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    text = f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead>\n{bodies}"
    return scroll(element("table", text, class_=class_) if class_ else element("table", text), caption)


def scroll(content: str, label: str) -> str:
    """A region that scrolls by itself, so that the page never does; reachable by keyboard."""
    return element("div", content, class_="scroll", role="region", tabindex="0", aria_label=label)


def swatch(entry: Entry) -> str:
    """How a legend entry is drawn, as a small picture."""
    pattern = " ".join(map(str, entry.style.dash))
    dash = "" if entry.style.dash == (1, 0) else f' stroke-dasharray="{pattern}"'
    line = f'<path d="M1 7h42" fill="none" stroke="{entry.style.colour}" stroke-width="2.5"{dash}/>'
    mark = f'<g transform="translate(8 0)" fill="{entry.style.colour}">{MARKS[entry.style.shape]}</g>'
    drawn = {
        "line": line + mark,
        "point": mark,
        "area": f'<rect x="14" y="2" width="16" height="10" fill="{entry.style.colour}"/>',
    }
    size = 'width="44" height="14" viewBox="0 0 44 14"'  # long enough for a whole dash pattern
    return f'<svg {size} aria-hidden="true" focusable="false">{drawn[entry.mark]}</svg>'


def key(entries: Sequence[Entry], named: Callable[[str, str], str]) -> str:
    """The legend of a figure: each entry with its definition, where the figure stands.

    named: an entry's label and name -> the name as HTML, with a link if there is a page about it.
    """
    lines = (
        f'<li data-label="{escape(e.label)}">{swatch(e)}<div><b>{named(e.label, e.name)}</b> '
        f"<span>{escape(e.definition)}</span></div></li>"
        for e in entries
    )
    return element("ul", "\n".join(lines), class_="key", aria_label="Key")


def short_key(entries: Sequence[Entry], named: Callable[[str, str], str], more: str = "") -> str:
    """The legend of a figure in one line: how each entry is drawn, and its name. more: about those left out."""
    lines = [f'<li data-label="{escape(e.label)}">{swatch(e)} {named(e.label, e.name)}</li>' for e in entries]
    lines += [element("li", escape(more), class_="soft")] if more else []
    return element("ul", "\n".join(lines), class_="key short", aria_label="Key in short")
