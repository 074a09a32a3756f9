"""One node's work layer by layer: which pass needs which, what is on its way beside them, and what is waited for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import altair as alt
import pandas as pd

from rebuttal.core.timeline import Timeline
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Entry, Panel, colour, method_key, panel, tips
from rebuttal.figures.theme import SOLID, Style, words
from rebuttal.simulation.timeline_metrics import by_layer

# kind -> (name, definition, colour)
KINDS = {
    "gradient": ("gradient of all layers", "forward and backward pass in one piece, on a row of its own", "#00937a"),
    "forward": ("forward pass", "of one layer; it needs the layer below, and this layer's weights", "#7cc8b8"),
    "backward": ("backward pass", "of one layer; it needs the layer above", "#0b7a68"),
    "all-reduce": ("all-reduce", "the nodes average this layer's gradient, one layer after the other", "#9a5fb5"),
    "wait": ("wait", "the average is there, and waits until the method uses it", "#9aa1a9"),
    "update": ("update", "this layer's weights change; the number is that of the batches it rests on", "#1f77b4"),
}  # fmt: skip
KEY = tuple(
    Entry(kind, name, line, Style(tint, SOLID, "square"), "area")
    for kind, (name, line, tint) in KINDS.items()
)
ALL = "all"  # the row of what is done for all layers at once
ROW = 20


def stored(files: Mapping[str, Path], updates: int) -> pd.DataFrame:
    """The rows of stored time lines (label -> file), of node 0, until the first has made so many updates."""
    return of({label: Timeline.load(path) for label, path in files.items()}, updates)


def of(runs: Mapping[str, Timeline], updates: int) -> pd.DataFrame:
    """The same of time lines; `attrs` has the clock and where the picture ends."""
    first = next(iter(runs.values()))
    until_s = float(first.updates["time_s"][: updates + 1][-1])
    parts = [pd.DataFrame(by_layer(run, 0, until_s)).assign(method=label) for label, run in runs.items()]
    table = pd.concat(parts, ignore_index=True)
    table.attrs = {"clock": str(first.about["clock"]), "until_s": until_s}
    return table


def rows(table: pd.DataFrame) -> pd.DataFrame:
    """The same with times in ms, cut where the picture ends, and `row`: the layer's number from 1, or `ALL`."""
    frame = pd.DataFrame(table[["method", "layer", "kind", "step", "start_s", "end_s"]])
    frame["row"] = [str(layer + 1) if layer >= 0 else ALL for layer in frame["layer"]]
    frame["start_ms"] = 1e3 * frame["start_s"]
    frame["end_ms"] = 1e3 * frame["end_s"].clip(upper=table.attrs["until_s"])
    return frame.drop(columns=["layer", "start_s", "end_s"])


def panels(table: pd.DataFrame, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """A panel per method, on one time axis; rows are layers, the last on top."""
    frame = chart_rows.some(rows(table), "layer_timeline")
    end_ms = 1e3 * table.attrs["until_s"]
    for name, part in frame.groupby("method", sort=False):
        line = method_key([str(name)], definitions)[0].definition
        about = f"{line}; one node; {table.attrs['clock']} clock"
        yield _one(part, str(name), end_ms, about)


def _one(frame: pd.DataFrame, method: str, end_ms: float, about: str) -> Panel:
    key = tuple(entry for entry in KEY if entry.label in set(frame["kind"]))
    layers = sorted({int(row) for row in frame["row"] if row != ALL}, reverse=True)
    order = [*map(str, layers), *[ALL] * bool((frame["row"] == ALL).any())]
    base = alt.Chart(chart_rows.small(frame.drop(columns="method")))
    x = alt.X("start_ms:Q", title="time (ms)", scale=alt.Scale(domain=[0, end_ms], nice=False, clamp=True))
    y = alt.Y("row:N", title="layer", sort=order, axis=alt.Axis(grid=False, ticks=False))
    tint = colour(key, "kind")
    tip = tips("kind", "row", "step", "start_ms", "end_ms")
    passes = base.transform_filter("indexof(['forward', 'backward', 'gradient'], datum.kind) >= 0").mark_bar(
        height={"band": 0.55}, yOffset=-2
    )
    wire = base.transform_filter("datum.kind == 'all-reduce'").mark_bar(height=4, yOffset=6)
    waits = base.transform_filter("datum.kind == 'wait'").mark_rule(strokeDash=[2, 2], yOffset=6)
    update = base.transform_filter("datum.kind == 'update'")
    tick = update.mark_tick(thickness=2.5, height=16, orient="vertical").encode(
        alt.X("end_ms:Q"), y, tint, tooltip=tip
    )
    number = update.mark_text(align="left", dx=3, dy=-5, fontSize=9, color="#1f77b4").encode(
        alt.X("end_ms:Q"), y, text="step:N"
    )
    bars = [one.encode(x, alt.X2("end_ms"), y, color=tint, tooltip=tip) for one in (waits, wire, passes)]
    title = words(method)
    say = f"One node's work of {title} by layer over {end_ms:.3g} milliseconds, {len(order)} rows."
    return panel([*bars, tick, number], title, about, say, key, 30 + ROW * len(order), method)


def table(given: pd.DataFrame) -> pd.DataFrame:
    """Per method and kind: how many, and the seconds of all together."""
    frame = rows(given)
    frame["milliseconds"] = frame["end_ms"] - frame["start_ms"]
    found = frame.groupby(["method", "kind"], sort=False).agg(
        count=("step", "size"), milliseconds=("milliseconds", "sum")
    )
    return chart_rows.short(found.reset_index())


FIGURE = Figure(
    title="One node's work, layer by layer",
    reads={"layer_gantt": ("computes", "updates")},
    how_to_read=(
        "A row is a layer, the last one on top, and all panels share the time axis. The staircases are the "
        "dependencies between layers: up in the forward pass, down in the backward pass. Along a row stand "
        "those between passes: a layer's backward pass, the all-reduce of its gradient, its update, and then "
        "its next forward pass. An all-reduce below a bar of another row overlaps with it. Where a forward pass "
        "comes before the update that its predecessor's gradient makes, its weights are old: the method is "
        "delayed."
    ),
    draw=panels,
    table=table,
    across=1,
)
