"""Pages of docs as parts of the site: Markdown as HTML, with this site's tables and addresses.

Links lead somewhere wherever the site is published: what it does not hold is named by its path.
"""

import re
from collections import Counter
from collections.abc import Callable
from html import escape
from typing import Any

import mistune

from rebuttal.site import html

#: The address of a page of docs -> its address in the site; None for what the site does not hold.
Addresses = Callable[[str], str | None]
WIDE = 8  # columns from which on a table scrolls instead of becoming cards on a narrow page
SCROLLED = '<div class="scroll'  # how a region that scrolls begins: no part of a paragraph


def render(text: str, title: str, address: Addresses, demoted: int = 0) -> str:
    """Markdown as HTML. title: what captions name; demoted: levels that every heading goes down."""
    renderer = _Renderer(title, address, demoted)
    made = mistune.create_markdown(renderer=renderer, plugins=["table"])(text)
    return str(made)


def slug(text: str) -> str:
    """An anchor from a heading: 'When to use it' -> 'when-to-use-it'."""
    return re.sub(r"\W+", "-", text.lower()).strip("-")


class _Renderer(mistune.HTMLRenderer):
    """HTML of one page; raw HTML in the Markdown is shown as text, but for comments, which are left out."""

    def __init__(self, title: str, address: Addresses, demoted: int) -> None:
        super().__init__(escape=True)
        self._title, self._address, self._demoted = title, address, demoted
        self._section = title
        self._seen: Counter[str] = Counter()

    def render_token(self, token: dict[str, Any], state: Any) -> str:
        """As every renderer does, but a table is made as a whole: captions and labels need its heading row."""
        return self._table(token, state) if token["type"] == "table" else super().render_token(token, state)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """A heading with an anchor of its own."""
        self._section = html.text(text)
        name = slug(self._section)
        self._seen[name] += 1
        anchor = name if self._seen[name] == 1 else f"{name}-{self._seen[name]}"
        return html.element(f"h{level + self._demoted}", text, id=anchor) + "\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link within the site or to an address; the path alone where the site does not hold the file."""
        if url.startswith(("https://", "http://", "#")):
            return html.element("a", text, href=url)
        target = self._address(url)
        if target is not None:
            return html.element("a", text, href=target)
        path = re.sub(r"^(\.\./)+", "", url)
        return text if html.text(text) == path else f"{text} (<code>{escape(path)}</code>)"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture that keeps a legible width, in a region that scrolls on a narrow page."""
        words = html.text(text)
        return html.scroll(f'<img class="picture" src="{escape(url)}" alt="{escape(words)}">', words)

    def paragraph(self, text: str) -> str:
        """A paragraph, unless it is a picture alone."""
        return f"{text}\n" if text.startswith(SCROLLED) else super().paragraph(text)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Code as it stands; it may be wider than the page, so the keyboard can reach it."""
        return f'<pre tabindex="0"><code>{escape(code)}</code></pre>\n'

    def block_html(self, html: str) -> str:  # mistune's name for the argument
        """Comments tell programs where to write, and readers nothing."""
        return "" if html.strip().startswith("<!--") else super().block_html(html)

    def _table(self, token: dict[str, Any], state: Any) -> str:
        head, body = token["children"]
        names = [html.text(cell) for cell in self._cells(head, state)]
        rows = [self._cells(row, state) for row in body["children"]]
        caption = self._section if self._section == self._title else f"{self._section}: {self._title}"
        return html.table(names, rows, caption, "methods measures" if len(names) >= WIDE else "cards")

    def _cells(self, row: dict[str, Any], state: Any) -> list[str]:
        return [self.render_tokens(cell["children"], state) for cell in row["children"]]
