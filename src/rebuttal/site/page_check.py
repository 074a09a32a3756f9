"""A written page read as a reader's browser does: its title, its anchors, its links; and what must be true of them."""

import posixpath
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

from rebuttal.base.errors import InputError


class PageReader(HTMLParser):
    """The title, the anchors and the addresses of a page, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.anchors, self.links = "", list[str](), list[str]()
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins: its id and its address."""
        self._in_title = tag == "title" and not self.title
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.append(value)
            elif name in ("href", "src") and value and not value.startswith("data:"):
                self.links.append(value)

    def handle_data(self, data: str) -> None:
        """Text: that of the title counts."""
        if self._in_title:
            self.title += data
            self._in_title = False


def read_text(text: str) -> PageReader:
    """A page's title, anchors and links."""
    reader = PageReader()
    reader.feed(text)
    return reader


def read_page(path: Path) -> PageReader:
    """The same of a file."""
    return read_text(path.read_text(encoding="utf-8"))


def check_anchors(what: str, text: str, wanted: Mapping[str, str]) -> None:
    """Refuse a page without one of the `wanted` anchors (each with what points to it), or with one twice."""
    there = read_text(text).anchors
    for name, of in wanted.items():
        if name not in there:
            raise InputError(f"{what}: {of} points to {name}, which the notebook does not show")
    repeated = _repeated(there)
    if repeated:
        raise InputError(f"{what}: {repeated[0]} is shown twice; allowed: each figure and concern once")


def _repeated(names: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return sorted(name for name, count in seen.items() if count > 1)


def check_links(folder: Path) -> None:
    """Refuse a site with a link that leads nowhere, or that would ask another host for anything but a followed link."""
    pages = {path.relative_to(folder).as_posix(): read_page(path) for path in folder.rglob("*.html")}
    anchors = {name: set(found.anchors) for name, found in pages.items()}
    for name, found in pages.items():
        for address in dict.fromkeys(found.links):
            _check_link(folder, anchors, name, address)


def _check_link(folder: Path, anchors: dict[str, set[str]], name: str, address: str) -> None:
    """Refuse a link to nothing, and one out of the folder: what is published is the folder alone."""
    if address.startswith("https://"):
        return
    place, _, anchor = address.partition("#")
    file = place.partition("?")[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
    there = (folder / target).is_file() and not target.startswith("..")
    if not there or (anchor and anchor not in anchors.get(target, {anchor})):
        raise InputError(f"{folder / name}: the link {address!r} leads nowhere")
