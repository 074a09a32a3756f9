"""One time line: what every node does, from when to when, with what is dropped and how stale what is used is."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.timeline import Timeline
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Entry, Panel, colour, method_key, panel, tips
from rebuttal.figures.theme import Style, words
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
WORK = tuple(
    Entry(what, name, line, Style(tint, (1, 0), "square"), "area")
    for what, (name, line, tint) in KINDS.items()
)
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
    runs = {label: Timeline.load(path) for label, path in files.items()}
    first = next(iter(runs.values()))
    until_s = float(first.updates["time_s"][: updates + 1][-1])
    parts = [pd.DataFrame(gantt(run, until_s)).assign(method=label) for label, run in runs.items()]
    table = pd.concat(parts, ignore_index=True)
    table.attrs["clock"] = str(first.about["clock"])
    return table


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
    base = alt.Chart(chart_rows.small(pd.DataFrame(frame[shown])))
    nodes = sorted(set(chart_rows.column(frame, "node").tolist()))
    x = alt.X("start_s:Q", title="time (s)", scale=alt.Scale(domain=[0, end_s], nice=False, clamp=True))
    y = alt.Y("node:O", title="node", sort=nodes, axis=alt.Axis(grid=False, ticks=False))
    tip = tips("node", "what", "label", "start_s", "end_s", "version", "staleness")
    thin = base.transform_filter("datum.what == 'message'").mark_bar(height=2, yOffset=5)
    beside = _beside_work(frame)
    drawn = "datum.what != 'message' && datum.what != 'update'"
    work = base.transform_filter(f"{drawn} && datum.what != 'all-reduce'" if beside else drawn).mark_bar(
        height={"band": 0.62}, stroke="white", strokeWidth=0.6
    )
    wire = base.transform_filter("datum.what == 'all-reduce'").mark_bar(height=2, yOffset=5)
    marks = (thin, work, wire) if beside else (thin, work)
    bars = [one.encode(x, alt.X2("end_s"), y, color=colour(key, "what"), tooltip=tip) for one in marks]
    lost = int((chart_rows.column(frame, "what") == "dropped").sum())
    title = words(method)
    say = f"Gantt chart of {title}: {len(nodes)} nodes over {end_s:.3g} seconds, {lost} gradients dropped."
    layers = [*bars, _updates(base, y, key), *_staleness(base, frame, x, y, end_s)]
    return panel(layers, title, about, say, key, height=24 + ROW * len(nodes), method=method)


def _beside_work(frame: pd.DataFrame) -> bool:
    """Whether a node computes while one of its all-reduces is under way: these are then drawn as thin as messages."""
    what, node, start_s, end_s = (frame[name].to_numpy() for name in ("what", "node", "start_s", "end_s"))
    wire, work = what == "all-reduce", ~np.isin(what, ("all-reduce", "message"))
    for one in set(node[wire].tolist()):
        mine, its = work & (node == one), wire & (node == one)
        if ((start_s[mine][:, None] < end_s[its]) & (end_s[mine][:, None] > start_s[its])).any():
            return True
    return False


def _updates(base: alt.Chart, y: alt.Y, key: tuple[Entry, ...]) -> alt.Chart:
    """A tick where each update ends: drawn to scale it could not be seen."""
    tick = base.transform_filter("datum.what == 'update'").mark_tick(
        thickness=2, height=11, orient="vertical"
    )
    return tick.encode(alt.X("end_s:Q"), y, color=colour(key, "what"), tooltip=tips("node", "end_s"))


def _staleness(base: alt.Chart, frame: pd.DataFrame, x: alt.X, y: alt.Y, end_s: float) -> list[alt.Chart]:
    """The staleness as a number on every bar that has room for it; nothing where all gradients are fresh."""
    if not (chart_rows.column(frame, "staleness").astype(float) > 0).any():
        return []
    wide = f"isValid(datum.staleness) && datum.end_s - datum.start_s > {end_s / 40}"
    number = base.transform_filter(wide).mark_text(align="left", dx=3, fontSize=9, color="white")
    return [number.encode(x, y, text="staleness:Q")]


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
