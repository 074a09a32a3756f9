"""A panel: one plot with its key. A figure is one panel or several, which the page lays out to its width.

The key says what every entry of the legend means. In a notebook it is the chart's own legend, with the definition
under each name; the published page prints it beside the chart instead, where it wraps and can be read aloud.
"""

import functools
import json
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_data, chart_rows, theme
from rebuttal.figures.theme import Entry

NO_DEFINITION = "(no definition given)"
HEIGHT, WIDTH = 250, 340
TITLE, ABOUT = 46, 60  # letters that such a width has room for
CHOICE = "highlight"  # the parameter of a chart that has a list of its own, in a notebook and on a page
STANDARD = "datum.standard"  # the filter of rows at several targets
SHARED = ("$schema", "config", "datasets", "params")  # of a joined chart, not of its parts


@dataclass(frozen=True)
class Panel:
    """One plot (its width follows its container) and its key. colours: label -> the one in place of its own.

    method: the label that all of it is about, where its data do not tell methods apart. rows: labels with a row and a
    name each on an axis, in the colour of the key's first entry.
    """

    chart: alt.LayerChart
    key: tuple[Entry, ...]
    method: str = ""
    rows: tuple[str, ...] = ()
    colours: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification."""
        made = chart_data.specification(self.chart)
        for layer in made["layer"] if self.colours else ():
            scale = layer["encoding"].get("color", {}).get("scale", {})
            if "range" in scale and "domain" in scale:
                pairs = zip(scale["domain"], scale["range"], strict=True)
                scale["range"] = [self.colours.get(label, own) for label, own in pairs]
        return made

    @property
    def title(self) -> str:
        """What the panel shows."""
        return self.spec["title"]["text"]

    @property
    def about(self) -> list[str]:
        """What it rests on, phrase by phrase: seeds, interval, clock."""
        return self.spec["title"]["subtitle"][0].split("; ")


def method_key(
    labels: Sequence[str], definitions: Mapping[str, str] | None, mark: str = "line"
) -> tuple[Entry, ...]:
    """The key of methods; `definitions` maps a label, its family or what the family's name begins with to one line."""
    known = definitions or {}
    drawn = theme.styles(labels)
    return tuple(
        Entry(label, theme.words(label), definition(label, known), style, mark)
        for label, style in drawn.items()
    )


def there(key: Sequence[Entry], labels: Iterable[str]) -> tuple[Entry, ...]:
    """The entries of a figure's key that one of its panels has: a method looks the same in all of them."""
    known = set(labels)
    return tuple(entry for entry in key if entry.label in known)


def definition(label: str, known: Mapping[str, str]) -> str:
    """That of the label, of its family, or of the longest name with which the family's begins."""
    family = theme.family(label)
    begins = [name for name in known if family.startswith(f"{name}_")]
    names = [label, family, *sorted(begins, key=len, reverse=True)]
    return next((known[name] for name in names if name in known), NO_DEFINITION)


def plain_key(definitions: Mapping[str, str], mark: str = "line") -> tuple[Entry, ...]:
    """The key of series that are no methods: label -> one line."""
    drawn = theme.plain_styles(definitions)
    return tuple(Entry(k, theme.words(k), line, drawn[k], mark) for k, line in definitions.items())


def area_key(kinds: Mapping[str, tuple[str, str, str]]) -> tuple[Entry, ...]:
    """The key of areas that are told apart by colour alone: label -> name, one line, colour."""
    return tuple(
        Entry(label, name, line, theme.Style(tint, theme.SOLID, "square"), "area")
        for label, (name, line, tint) in kinds.items()
    )


def dim_key(data: xr.Dataset, dim: str) -> tuple[Entry, ...]:
    """The key of the labels of a dim, in solid lines, with the line that the dataset has about each of them."""
    labels, about = data[dim].values.tolist(), data[f"{dim}_about"].values.tolist()
    drawn = plain_key(dict(zip(map(str, labels), map(str, about), strict=True)))
    return tuple(replace(entry, style=replace(entry.style, dash=theme.SOLID)) for entry in drawn)


def panel(
    layers: Sequence[alt.Chart],
    title: str,
    about: str,
    description: str,
    key: Sequence[Entry],
    height: int = HEIGHT,
    method: str = "",
    rows: Sequence[str] = (),
) -> Panel:
    """Put layers over one another, with a title, a line on n and the clock, and a description for screen readers.

    method, rows: as `Panel` has them.
    """
    heading = alt.TitleParams(title, subtitle=[about])
    chart = alt.LayerChart(
        layer=list(layers), title=heading, description=description, width="container", height=height
    )
    return Panel(chart, tuple(key), method, tuple(rows))


def emphasised(one: Panel, own: Collection[str]) -> Panel:
    """The panel with the methods of `own` (families) in colour, the baseline dark, and all others in grey.

    A panel in which none or all of the methods are among them stays as it is; one of rows stands back as a whole if
    none are, since what stands out has a row in another panel.
    """
    if one.rows:
        drawn = theme.behind([label for label in one.rows if not theme.stands_out(label, own)]) if own else {}
        drawn |= {one.key[0].label: theme.MUTED} if set(drawn) == set(one.rows) else {}
    else:
        drawn = theme.emphasis([entry.label for entry in one.key], own)
    if not drawn:
        return one
    looks = [replace(entry.style, colour=drawn.get(entry.label, entry.style.colour)) for entry in one.key]
    key = tuple(replace(entry, style=look) for entry, look in zip(one.key, looks, strict=True))
    return replace(one, key=key, colours=drawn)


def with_own_first(panels: Iterable[Panel], own: Collection[str]) -> list[Panel]:
    """Panels in their order, those that draw a method of `own` (families) before those that draw others."""

    def without(one: Panel) -> bool:
        rows = [
            row
            for rows in one.spec["datasets"].values()
            for row in rows
            if "method" in row and "at" not in row
        ]
        return bool(rows) and not any(theme.stands_out(row["method"], own) for row in rows)

    return sorted(panels, key=without)


def rows_of(frame: pd.DataFrame) -> alt.Chart:
    """A chart of rounded rows; of those at several targets, the ones with `standard` until a reader asks."""
    base = alt.Chart(chart_rows.small(frame))
    return base.transform_filter(STANDARD) if "standard" in frame else base


def _scale(key: Sequence[Entry], drawn: Sequence[Any]) -> alt.Scale:
    """The scale that gives each entry of the key its own colour, dash or shape."""
    return alt.Scale(domain=[entry.label for entry in key], range=list(drawn))


def colour(key: Sequence[Entry], field: str = "method") -> alt.Color:
    """Colour by `field`, with the legend that explains each entry."""
    scale = _scale(key, [entry.style.colour for entry in key])
    lines = {entry.label: [entry.name, entry.definition] for entry in key}
    legend = alt.Legend(labelExpr=f"{json.dumps(lines)}[datum.label]", symbolOpacity=1)
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def dash(key: Sequence[Entry], field: str = "method") -> alt.StrokeDash:
    """Dash pattern by `field`."""
    return alt.StrokeDash(f"{field}:N", scale=_scale(key, [list(e.style.dash) for e in key]), legend=None)


def shape(key: Sequence[Entry], field: str = "method") -> alt.Shape:
    """Point shape by `field`."""
    return alt.Shape(f"{field}:N", scale=_scale(key, [e.style.shape for e in key]), legend=None)


def axis(
    channel: Any,
    field: str,
    title: str | list[str],
    log: bool = False,
    zero: bool = False,
    domain: Sequence[float] | None = None,
    share: bool = False,
    **options: Any,
) -> Any:
    """A quantitative axis `channel` (alt.X or alt.Y) of `field` with a title (or its lines) that carries the unit.

    domain: from where to where, for panels that are to be compared (default: as the data are). share: of values from
    0 to 1, which are read off in per cent; the title says so before its first comma, or on its first line.
    """
    if share:
        first, *more = [title] if isinstance(title, str) else title
        what, comma, rest = first.partition(",")
        first = f"{what} (%){comma}{rest}"
        title = first if isinstance(title, str) else [first, *more]
        options["axis"] = options.get("axis", alt.Axis()).copy()
        options["axis"].labelExpr = "format(100 * datum.value, '~g')"
    scale = alt.Scale(type="log", nice=False, padding=8) if log else alt.Scale(zero=zero)
    if domain is not None:
        scale.domain = list(domain)
    return channel(f"{field}:Q", title=title, scale=scale, **options)


def tips(*fields: str | alt.Tooltip) -> list[alt.Tooltip]:
    """What a mark shows when it is pointed at."""
    return [field if isinstance(field, alt.Tooltip) else alt.Tooltip(field) for field in fields]


def join(panels: Sequence[Panel]) -> alt.LayerChart | alt.ConcatChart:
    """One chart of several panels, two beside each other, for a notebook."""
    if len(panels) == 1:
        return panels[0].chart.properties(width=2 * WIDTH).configure(**theme.config())
    charts = [one.chart.properties(width=WIDTH, title=narrow(one)) for one in panels]
    joined = alt.concat(*charts, columns=2)
    if any(one.rows for one in panels):
        joined = joined.resolve_scale(color="independent")  # each panel has methods of its own
    return joined.configure(**theme.config())


def narrow(one: Panel) -> alt.TitleParams:
    """A panel's title and the line below it in lines that are no wider than the panel: a wider one widens the chart."""
    title = one.chart.title.to_dict(validate=False)
    about = " ".join(title["subtitle"])
    return alt.TitleParams(textwrap.wrap(title["text"], TITLE), subtitle=textwrap.wrap(about, ABOUT))


def join_specs(panels: Sequence[Panel]) -> dict[str, Any]:
    """The specification of `join`, put together from the panels' own."""
    parts = [
        {k: v for k, v in one.spec.items() if k not in SHARED}
        | {"width": WIDTH, "title": narrow(one).to_dict()}
        for one in panels
    ]
    datasets = {name: rows for one in panels for name, rows in one.spec["datasets"].items()}
    params = {each["name"]: each for one in panels for each in one.spec.get("params", [])}
    return {
        "$schema": panels[0].spec["$schema"],
        "config": theme.config(),
        "columns": 2,
        "concat": parts,
        "datasets": datasets,
        "params": list(params.values()),
        **({"resolve": {"scale": {"color": "independent"}}} if any(one.rows for one in panels) else {}),
    }
