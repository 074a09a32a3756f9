"""Where the page of a method is: the one place that knows which methods have one."""

from html import escape
from pathlib import Path

from rebuttal.base import paths
from rebuttal.figures.theme import family, words
from rebuttal.site import html

FOLDER = "methods"  # of docs and of the site alike


def source(name: str) -> Path:
    """The page of docs that a method's page is made from."""
    return paths.root() / "docs" / FOLDER / f"{name}.md"


def address(name: str) -> str:
    """The page of a method, from the pages at the top of the site."""
    return f"{FOLDER}/{name}.html"


def link(label: str, said: str | None = None) -> str:
    """A method or a variant in words (or as it is `said`), linked to its page if it has one."""
    name, shown = family(label), said or words(label)
    return html.link(shown, address(name)) if source(name).is_file() else escape(shown)
