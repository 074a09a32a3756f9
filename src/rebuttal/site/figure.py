"""A figure of a report: panels, key, caption, data table, and the file and variables that it was drawn from."""

import copy
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from rebuttal.base.notebook_renderer import VEGA_MIME
from rebuttal.figures import theme
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.line_ends import MOST, with_names
from rebuttal.figures.panel import Entry, Panel, join_specs
from rebuttal.site import html, method_links, selection, tables
from rebuttal.site.html import PAGE_MIME, PIECE_MIME
from rebuttal.site.packed import script
from rebuttal.site.static_picture import static

PICTURE = "<!-- picture -->"  # where the page that shows a figure puts the picture of a chart, if it does
ROW = 3  # charts side by side, at most, beside the contents of a page
WIDE = 2  # charts side by side, at most, that have room for names beside their lines
TALL = 420  # pixels of a chart, from which on it has no place between two questions
FEW = 8  # entries of a key that is shown whole
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")  # between two sentences


@dataclass(frozen=True)
class Source:
    """Where numbers come from: a file (relative to the project's root) and the variables read from it."""

    file: str
    variables: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class PageFigure:
    """What a notebook shows interactively and a published page shows with or without JavaScript.

    `table` holds at most some forty rows; `table.attrs['rows']` says how many there would be. `finding` is what
    the data say, in plain text.
    """

    id: str
    about: Figure
    panels: tuple[Panel, ...]
    table: pd.DataFrame
    sources: tuple[Source, ...]
    finding: str = ""
    level: int = 4  # of its heading

    def __repr__(self) -> str:
        return f"Figure {self.id}: {self.about.title}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """A notebook draws the chart with the version of Vega-Lite it has; the published page takes its own part."""
        shown = {PAGE_MIME: self.page_html(), PIECE_MIME: self.piece(), "text/plain": repr(self)}
        if not self.panels:
            return {"text/html": self.to_html(), **shown}
        return {VEGA_MIME: join_specs(self.panels), **shown}

    def piece(self) -> dict[str, Any]:
        """What the figure is, for the page that it stands on: id, title, what can be selected of it, its pictures."""
        dims = [selection.dims_of(one) for one in self.panels]
        pairs = {name: [value for one in dims for value in getattr(one, name)] for name in selection.NAMES}
        about = {"kind": "figure", "id": self.id, "title": self.about.title, "charts": len(self.panels)}
        found = {name: list(dict.fromkeys(values)) for name, values in pairs.items()}
        tall = any(one.spec["height"] > TALL for one in self._charts[: self._first])
        return {
            **about,
            "tall": tall,
            "pictures": [static(one.spec) for one in self._charts[: self._first]],
            **found,
        }

    def to_html(self) -> str:
        """The figure as a page shows it that is read without scripts, or on paper."""
        return with_pictures(self.page_html(), self.piece()["pictures"])

    def page_html(self) -> str:
        """The figure as it stands in a published page, a comment for each of its pictures."""
        heading = f"fig-{self.id}-title"
        shared = common(self.panels) if self.panels else []
        said, *more = SENTENCE.split(self.finding) if self.finding else [self.about.title]
        about = [*([self.about.title] if self.finding else []), *shared]
        found = {"class_": "finding"} if self.finding else {}
        parts = [
            html.element(f"h{self.level}", escape(said), id=heading, **found),
            html.element("p", escape("; ".join(about)), class_="about") if about else "",
            *self._panels(shared),
            self._key(),
            html.element("div", self._others(shared) + self._reading(more) + self._data(), class_="links"),
            script([one.spec for one in self._charts]) if self.panels else "",
        ]
        text = "\n".join(filter(None, parts))
        return html.element("figure", text, class_="figure", id=f"fig-{self.id}", aria_labelledby=heading)

    @functools.cached_property
    def _charts(self) -> list["Chart"]:
        """The charts of the panels, as a page draws them; lines have their names where the charts are wide."""
        specs = map(page_spec, self.panels)
        if self._across <= WIDE and all(len(one.key) <= MOST for one in self.panels):
            specs = (with_names(spec, one.key) for spec, one in zip(specs, self.panels, strict=True))
        return [Chart(one, *selection.of(one, spec)) for one, spec in zip(self.panels, specs, strict=True)]

    @property
    def _across(self) -> int:
        """How many panels stand side by side on a wide page."""
        return 2 if self.about.stacked else self.about.across or columns(len(self.panels))

    @property
    def _first(self) -> int:
        """How many panels are seen at once: those of the first row, and two that stand one below the other."""
        return min(max(self._across, 2), ROW, len(self.panels))

    def _panels(self, shared: Sequence[str]) -> list[str]:
        """The panels of the first row."""
        return [self._row(shared, self._charts[: self._first], True)] if self.panels else []

    def _others(self, shared: Sequence[str]) -> str:
        """A toggle with the other panels."""
        left = self._charts[self._first :]
        said = f"More panels ({len(left)})"
        return toggle(said, self._row(shared, left, False), "panels-more") if left else ""

    def _row(self, shared: Sequence[str], some: Sequence["Chart"], pictured: bool) -> str:
        laid = "stacked" if self.about.stacked else f"across{self._across}"
        made = [one.html(shared, self.level + 1, pictured) for one in some]
        return html.element("div", "\n".join(made), class_=f"panels {laid}")

    def _key(self) -> str:
        """The names of what is drawn: all of them if they are few, else those that stand out."""
        entries = keys(self.panels)
        strong = [one for one in entries if not theme.is_muted(one.style)]
        shown = strong if strong and len(entries) > FEW else entries
        left = len(entries) - len(shown)
        more = f"{left} others, in grey: see the key" if left else ""
        return html.short_key(shown, method_links.link, more) if len(entries) > 1 else ""

    def _reading(self, more: Sequence[str]) -> str:
        """How to read the figure, what every entry of its key is, and the files that it was drawn from."""
        lines = [f"<code>{escape(s.file)}</code> ({escape(', '.join(s.variables))})" for s in self.sources]
        parts = [
            html.element("p", escape(" ".join(more))) if more else "",
            html.element("figcaption", f"<p>{self.about.how_to_read}</p>"),
            html.key(keys(self.panels), method_links.link) if self.panels else "",
            html.element("p", f"Drawn from {'; '.join(lines)}", class_="source"),
        ]
        return toggle("How to read it, key, sources", "\n".join(filter(None, parts)), "reading")

    def _data(self) -> str:
        """The numbers behind the figure."""
        if not self.panels:
            return ""
        count = self.table.attrs.get("rows", len(self.table))
        shown = f"the first {len(self.table)} of {count} rows" if count > len(self.table) else f"{count} rows"
        if "standard" in self.table:
            shown = f"{sum(self.table['standard'].tolist())} rows; other targets by selection"
        table = tables.frame_table(self.table, f"{self.about.title}: data")
        return toggle(f"Data table ({shown})", table, "numbers")


@dataclass(frozen=True)
class Chart:
    """One panel as a page draws it. dims: what can be selected of it."""

    panel: Panel
    spec: dict[str, Any]
    dims: selection.Dims

    def html(self, shared: Sequence[str], level: int, pictured: bool) -> str:
        """Heading, what it rests on, and the place of the chart, with that of its picture if it has one."""
        own = "; ".join(phrase for phrase in self.panel.about if phrase not in shared)
        # The chart is one picture with one description: its marks have none of their own, and are kept from readers.
        words = str(self.spec["description"])
        inner = PICTURE if pictured else ""
        picture = html.element("div", inner, class_="static", role="img", aria_label=words)
        top = html.element(f"h{level}", escape(self.panel.title))
        top += html.element("p", escape(own), class_="about") if own else ""
        chart = html.element("div", picture, class_="chart", **self.dims.attributes())
        return html.element("div", top + chart, class_="panel")


def toggle(said: str, content: str, name: str) -> str:
    """Content behind a line that opens it."""
    return html.element("details", html.element("summary", escape(said)) + content, class_=name)


def with_pictures(text: str, pictures: Sequence[str]) -> str:
    """The figure with its pictures in their places; without any, the places are empty."""
    first, *rest = text.split(PICTURE)
    pictures = pictures or [""] * len(rest)
    return first + "".join(picture + after for picture, after in zip(pictures, rest, strict=True))


def keys(panels: Sequence[Panel]) -> list[Entry]:
    """Every entry of the panels' keys, once."""
    return list({entry.label: entry for one in panels for entry in one.key}.values())


def columns(count: int) -> int:
    """How many panels stand side by side on a wide page: no row is left nearly empty."""
    if count <= 3:
        return count
    if count > 9 or (count > 4 and count % 4 == 0):
        return 4
    return 3 if count % 3 == 0 else 2


def common(panels: Sequence[Panel]) -> list[str]:
    """The phrases that every panel shares: they are printed once, under the figure's title."""
    first, *others = [one.about for one in panels]
    return [phrase for phrase in first if all(phrase in other for other in others)]


def page_spec(one: Panel) -> dict[str, Any]:
    """The panel's Vega-Lite specification without title and legend, which the page prints itself."""
    spec = copy.deepcopy(
        {name: value for name, value in one.spec.items() if name not in ("title", "$schema", "datasets")}
    )
    for layer in spec["layer"]:
        for channel in layer["encoding"].values():
            if "scale" in channel and "legend" in channel:
                channel["legend"] = None
    spec["datasets"] = one.spec["datasets"]
    spec["config"] = theme.config() | {"legend": {"disable": True}, "aria": False}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
