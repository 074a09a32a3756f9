"""A figure of a report: panels, key, caption, data table, and the file and variables that it was drawn from."""

import copy
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from typing import Any

import pandas as pd
import vl_convert

from rebuttal.base import paths
from rebuttal.base.notebook_renderer import VEGA_MIME
from rebuttal.figures import theme
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Entry, Panel, join_specs
from rebuttal.site import html, method_links, page, selection, tables
from rebuttal.site.html import PAGE_MIME, PIECE_MIME

# What Vega says of every mark, in a picture that has one description and whose marks are hidden from screen readers.
ROLES = re.compile(r' (?:role|aria-roledescription)="[^"]*"')
STATIC_WIDTH = 380  # pixels of the static picture: legible when scaled to a phone and to a page


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
        shown = {PAGE_MIME: self.to_html(), PIECE_MIME: self.piece(), "text/plain": repr(self)}
        if not self.panels:
            return {"text/html": self.to_html(), **shown}
        return {VEGA_MIME: join_specs(self.panels), **shown}

    def piece(self) -> dict[str, Any]:
        """What the figure is, for the page that it stands on: its id and title, and what can be selected of it."""
        dims = [selection.dims_of(one) for one in self.panels]
        pairs = {name: [value for one in dims for value in getattr(one, name)] for name in selection.NAMES}
        return {"kind": "figure", "id": self.id, "title": self.about.title, "charts": len(self.panels)} | {
            name: list(dict.fromkeys(values)) for name, values in pairs.items()
        }

    def to_html(self) -> str:
        """The figure as it stands in a published page."""
        heading = f"fig-{self.id}-title"
        shared = common(self.panels) if self.panels else []
        drawn = "\n".join(panel_html(one, shared, self.level + 1) for one in self.panels)
        laid = "stacked" if self.about.stacked else f"across{self.about.across or columns(len(self.panels))}"
        parts = [
            html.element(f"h{self.level}", escape(self.about.title), id=heading),
            html.element("p", escape("; ".join(shared)), class_="about"),
            self._finding(),
            html.element("div", drawn, class_=f"panels {laid}"),
            html.key(keys(self.panels), method_links.link),
            html.element("figcaption", f"<p>{self.about.how_to_read}</p>"),
            self._data(),
            self._origin(),
        ]
        return html.element(
            "figure", "\n".join(parts), class_="figure", id=f"fig-{self.id}", aria_labelledby=heading
        )

    def _finding(self) -> str:
        """The sentence that the data make."""
        return html.element("p", escape(self.finding), class_="finding") if self.finding else ""

    def _data(self) -> str:
        """The numbers behind the figure."""
        if not self.panels:
            return ""
        count = self.table.attrs.get("rows", len(self.table))
        shown = f"the first {len(self.table)} of {count} rows" if count > len(self.table) else f"{count} rows"
        if "standard" in self.table:
            shown = f"{sum(self.table['standard'].tolist())} rows; other targets by selection"
        summary = html.element("summary", f"Data table ({shown})")
        return html.element("details", summary + tables.frame_table(self.table, f"{self.about.title}: data"))

    def _origin(self) -> str:
        """Files and variables."""
        lines = [f"<code>{escape(s.file)}</code> ({escape(', '.join(s.variables))})" for s in self.sources]
        return html.element("p", f"Drawn from {'; '.join(lines)}", class_="source")


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


def panel_html(one: Panel, shared: Sequence[str] = (), level: int = 5) -> str:
    """One panel: heading, what it rests on, the static picture and the specification that replaces it."""
    spec, dims = selection.of(one, page_spec(one))
    own = "; ".join(phrase for phrase in one.about if phrase not in shared)
    words = str(spec["description"])
    # The whole chart is one picture with one description: its marks have none of their own, and are kept from readers.
    picture = html.element("div", static(spec), class_="static", role="img", aria_label=words)
    text = json.dumps(spec, sort_keys=True, separators=(",", ":")).replace("</", "<\\/")
    drawn = picture + f'<script type="application/json">{text}</script>'
    chart = html.element("div", drawn, class_="chart", **dims.attributes())
    top = html.element(f"h{level}", escape(one.title))
    top += html.element("p", escape(own), class_="about") if own else ""
    return html.element("div", top + chart, class_="panel")


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


def static(spec: dict[str, Any]) -> str:
    """The picture of a specification as SVG with a viewBox, for readers without JavaScript.

    Pictures are kept by their content: one changed chart does not cost the drawing of all others.
    """
    text = json.dumps(spec | {"width": STATIC_WIDTH}, sort_keys=True)
    name = hashlib.sha256(f"{version('vl-convert-python')}\n{text}".encode()).hexdigest()
    kept = paths.root() / ".cache" / "pictures" / f"{name}.svg"
    if not kept.is_file():
        page.write(kept, vl_convert.vegalite_to_svg(text))
    svg = kept.read_text(encoding="utf-8")
    return '<svg aria-hidden="true"' + ROLES.sub("", svg[svg.index("<svg") + len("<svg") :])
