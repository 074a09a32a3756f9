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
from rebuttal.site.page import Heading

#: The address of a page of docs -> its address in the site; None for what the site does not hold.
Addresses = Callable[[str], str | None]
WIDE = 8  # columns from which on a table scrolls instead of becoming cards on a narrow page
MARK = "\x00"  # in the place of a heading that is kept as data; no text has it
After = Callable[[str], str]
SCROLLED = '<div class="scroll'  # how a region that scrolls begins: no part of a paragraph


def render(text: str, title: str, address: Addresses, demoted: int = 0) -> str:
    """Markdown as HTML. title: what captions name; demoted: levels that every heading goes down."""
    renderer = _Renderer(title, address, demoted)
    made = mistune.create_markdown(renderer=renderer, plugins=["table"])(text)
    return str(made)


def parts(
    text: str, title: str, address: Addresses, after: After = lambda _: ""
) -> list[tuple[Heading, str]]:
    """Markdown in parts, each a heading and the HTML below it, the title first. after: what follows a picture."""
    renderer = _Renderer(title, address, 0, after)
    found = _cut(mistune.create_markdown(renderer=renderer, plugins=["table"])(text), renderer.headings)
    return [(heading or Heading(1, "top", title), shown) for heading, shown in found]


class Prose:
    """The Markdown cells of one notebook: raw HTML stays, headings are told apart from what stands below them."""

    def __init__(self) -> None:
        self.title = ""
        self._renderer = _Renderer("", lambda url: url, 0, raw=True)

    def parts(self, source: str) -> list[tuple[Heading | None, str]]:
        """The headings of a cell, each with the HTML below it; None for what stands before the first."""
        self._renderer.headings.clear()
        made = mistune.create_markdown(renderer=self._renderer, plugins=["table"])(source)
        found = _cut(made, self._renderer.headings)
        self.title = self.title or next((one.text for one, _ in found if one and one.level == 1), "")
        return found


def block_of_code(text: str) -> str:
    """Code or plain output as it stands; it may be wider than the page, so the keyboard can reach it."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>\n'


def _cut(made: Any, headings: list[Heading]) -> list[tuple[Heading | None, str]]:
    """HTML with a mark in the place of every heading, cut there."""
    first, *rest = str(made).split(MARK)
    return [*([(None, first)] if first.strip() else []), *zip(headings, rest, strict=True)]


def slug(text: str) -> str:
    """An anchor from a heading: 'When to use it' -> 'when-to-use-it'."""
    return re.sub(r"\W+", "-", text.lower()).strip("-")


class _Renderer(mistune.HTMLRenderer):
    """HTML of one page; raw HTML in the Markdown is shown as text, but for comments, which are left out."""

    def __init__(
        self, title: str, address: Addresses, demoted: int, after: After | None = None, raw: bool = False
    ) -> None:
        super().__init__(escape=not raw)
        self._title, self._address, self._demoted, self._raw = title, address, demoted, raw
        self._after = after
        self.headings: list[Heading] = []
        self._section = title
        self._seen: Counter[str] = Counter()

    def render_token(self, token: dict[str, Any], state: Any) -> str:
        """As every renderer does, but a table is made as a whole: captions and labels need its heading row."""
        return self._table(token, state) if token["type"] == "table" else super().render_token(token, state)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """A heading with an anchor of its own."""
        self._section = html.text(text)
        name = "-".join(self._section.split()) if self._raw else slug(self._section)
        self._seen[name] += 1
        anchor = name if self._seen[name] == 1 else f"{name}-{self._seen[name]}"
        if self._raw or self._after:
            self.headings.append(Heading(level + self._demoted, anchor, self._section))
            return MARK
        return html.element(f"h{level + self._demoted}", text, id=anchor) + "\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link within the site or to an address; the path alone where the site does not hold the file."""
        if self._raw or url.startswith(("https://", "http://", "#")):
            return html.element("a", text, href=url)
        target = self._address(url)
        if target is not None:
            return html.element("a", text, href=target)
        path = re.sub(r"^(\.\./)+", "", url)
        return text if html.text(text) == path else f"{text} (<code>{escape(path)}</code>)"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture that keeps a legible width, in a region that scrolls on a narrow page."""
        words = html.text(text)
        shown = html.scroll(f'<img class="picture" src="{escape(url)}" alt="{escape(words)}">', words)
        return shown + self._after(url) if self._after else shown

    def paragraph(self, text: str) -> str:
        """A paragraph, unless it is a picture alone."""
        return f"{text}\n" if text.startswith(SCROLLED) else super().paragraph(text)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Code as it stands."""
        return block_of_code(code)

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
