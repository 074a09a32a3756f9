"""What a notebook shows and a page takes: a piece of HTML, and what it is as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rebuttal.site import templates
from rebuttal.site.html import PAGE_MIME, PIECE_MIME

LEDGER_MIME = "application/vnd.rebuttal.evidence.ledger+json"
STYLE = "notebook.css"
Row = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Html:
    """A piece of a page.

    rows: ledger rows that it stands for, for whoever assembles the site. page: what a page shows in its place, if that
    is more than a notebook shows. about: what it is, for the page.
    """

    text: str
    label: str
    rows: tuple[Row, ...] = ()
    page: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.label

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        more = {LEDGER_MIME: list(self.rows)} if self.rows else {}
        more |= {PIECE_MIME: dict(self.about)} if self.about else {}
        return {
            "text/html": in_notebook(self.text), PAGE_MIME: self.page or self.text, "text/plain": self.label, **more,
        }  # fmt: skip


_styled: list[bool] = []


def in_notebook(text: str) -> str:
    """HTML as a notebook shows it: within a class of its own, the first of a session with the style sheet."""
    style = "" if _styled else f"<style>{templates.text(STYLE)}</style>"
    _styled.append(True)
    return f'{style}<div class="rebuttal">{text}</div>'
