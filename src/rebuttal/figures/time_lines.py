"""One time line: what every node does, from when to when, with what is dropped and how stale what is used is."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.timeline import Timeline
from rebuttal.figures import chart_rows, gantt_chart
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import Marks, marks
from rebuttal.figures.panel import Entry, Panel, area_key, method_key, panel
from rebuttal.figures.theme import words
from rebuttal.simulation.timeline_metrics import gantt

COLUMNS = ("node", "kind", "start_s", "end_s", "label", "version", "dropped")
# what -> (name, definition, colour)
KINDS = {
    "used": ("gradient, used", "a worker computes a gradient that becomes part of an update", "#00937a"),
    "dropped": ("gradient, dropped", "computed for nothing: it came too late or was abandoned", "#d1541b"),
    "forward": ("forward pass", "a node passes a batch through its layers", "#7cc8b8"),
    "backward": ("backward pass", "a node passes the gradient back through its layers", "#0b7a68"),
    "update": ("update", "a new version of the weights is made", "#1f77b4"),
    "message": ("message", "weights or a gradient on the way to this node", "#b3bac2"),
    "all-reduce": ("all-reduce", "the nodes sum their gradients", "#9a5fb5"),
    "other": ("other work", "anything else that a node computes", "#7b8087"),
}
PASSES = {
    "forward": "forward",
    **dict.fromkeys(("backward", "input-gradient", "weight-gradient"), "backward"),
}
UPDATES = dict.fromkeys(("update", "compensated-update"), "update")
WORK = area_key(KINDS)
ROW = 15
Table = Timeline | pd.DataFrame | xr.Dataset | Mapping


def rows(table: Table) -> pd.DataFrame:
    """The Gantt table as a frame, with the column `what` (an entry of the key) and `staleness` where it is known."""
    frame, clock = _frame(table)
    for name in COLUMNS:
        if name not in frame:
            raise refuse("Gantt table: column needed", name, sorted(map(str, frame.columns)))
    known = {entry.label for entry in WORK}
    kinds = [{**PASSES, **UPDATES}.get(kind, kind) for kind in frame["kind"]]
    frame["what"] = [kind if kind in known else "other" for kind in kinds]
    gradient = frame["kind"] == "gradient"
    frame.loc[gradient, "what"] = [
        "dropped" if lost else "used" for lost in frame.loc[gradient, "dropped"].astype(bool)
    ]
    if "staleness" not in frame:
        frame["staleness"] = float("nan")
    if "method" not in frame:
        frame["method"] = "timeline"
    frame.attrs = {"clock": clock}
    return frame


def _frame(table: Table) -> tuple[pd.DataFrame, str | None]:
    """A time line or its table as a frame, and its clock where that is known."""
    if isinstance(table, Timeline):
        name = str(table.about.get("method", "timeline"))
        return pd.DataFrame(gantt(table)).assign(method=name), str(table.about["clock"])
    if isinstance(table, xr.Dataset):
        return table.to_dataframe().reset_index(), table.attrs.get("clock")
    return pd.DataFrame(table), getattr(table, "attrs", {}).get("clock")


def stored(files: Mapping[str, Path], updates: int) -> pd.DataFrame:
    """The Gantt table of several stored time lines (label -> file) until the first has made that many updates."""
    return gantt_chart.tables({label: Timeline.load(path) for label, path in files.items()}, updates, gantt)


def panels(table: Table, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """A panel per method, all on the same time axis; messages thin, work thick, the staleness written on gradients."""
    frame = chart_rows.some(rows(table), "one_timeline")
    end_s = float(chart_rows.column(frame, "end_s").max())
    about = f"({frame.attrs['clock']} clock)" if frame.attrs.get("clock") else "(clock not stated)"
    seen = set(frame["what"])
    key = tuple(entry for entry in WORK if entry.label in seen)
    for name, part in frame.groupby("method", sort=False):
        defined = method_key([str(name)], definitions)[0].definition
        line = defined if definitions else "every node of the run"
        yield _gantt(part, str(name), end_s, f"{line} {about}", key)


def _gantt(frame: pd.DataFrame, method: str, end_s: float, about: str, key: tuple[Entry, ...]) -> Panel:
    shown = ["node", "what", "start_s", "end_s", "label", "version", "staleness"]
    nodes = sorted(set(chart_rows.column(frame, "node").tolist()))
    x, y = gantt_chart.axes("s", end_s, "node:O", "node", nodes)
    tip = ("node", "what", "label", "start_s", "end_s", "version", "staleness")
    m = marks(pd.DataFrame(frame[shown]), x, y, key, "what", tip)
    wire, work = frame["what"] == "all-reduce", ~frame["what"].isin(["all-reduce", "message"])
    beside = gantt_chart.beside_work(frame, wire.to_numpy(), work.to_numpy())
    thin = ["message", *["all-reduce"] * beside]
    thick = " && ".join(f"datum.what != '{what}'" for what in ("message", "update", *thin[1:]))
    message, *wires = (m.where(f"datum.what == '{what}'").bar("end_s", height=2, yOffset=5) for what in thin)
    drawn = m.where(thick).bar("end_s", height={"band": 0.62}, stroke="white", strokeWidth=0.6)
    lost = int((chart_rows.column(frame, "what") == "dropped").sum())
    title = words(method)
    say = f"Gantt chart of {title}: {len(nodes)} nodes over {end_s:.3g} seconds, {lost} gradients dropped."
    # An update, drawn to scale, could not be seen.
    update = replace(m.where("datum.what == 'update'").against(x=alt.X("end_s:Q")), tip=("node", "end_s"))
    layers = [message, drawn, *wires, update.tick(thickness=2, height=11), *_staleness(m, frame, end_s)]
    return panel(layers, title, about, say, key, height=24 + ROW * len(nodes), method=method)


def _staleness(m: Marks, frame: pd.DataFrame, end_s: float) -> list[alt.Chart]:
    """The staleness as a number on every bar that has room for it; nothing where all gradients are fresh."""
    if not (chart_rows.column(frame, "staleness").astype(float) > 0).any():
        return []
    wide = f"isValid(datum.staleness) && datum.end_s - datum.start_s > {end_s / 40}"
    return [m.where(wide).text("staleness:Q", color="white")]


def table(table: Table) -> pd.DataFrame:
    """Per method and kind of work: how many, seconds in all, mean staleness."""
    frame = rows(table)
    frame["seconds"] = frame["end_s"] - frame["start_s"]
    groups = frame.groupby(["method", "what"], sort=False)
    found = groups.agg(
        count=("seconds", "size"), seconds=("seconds", "sum"), mean_staleness=("staleness", "mean")
    )
    return chart_rows.short(found.reset_index())


FIGURE = Figure(
    title="Methods on one time line",
    reads={"gantt": ("computes", "messages", "updates")},
    how_to_read=(
        "Every row is a node, every bar what it does, and all panels share the time axis. A gap is waiting. The "
        "number on a bar says how stale its gradient is when it is used; where no bar has one, no gradient is "
        "stale. Late gradients that are dropped have a colour of their own."
    ),
    draw=panels,
    table=table,
    suits="start_s",
    across=1,
)
