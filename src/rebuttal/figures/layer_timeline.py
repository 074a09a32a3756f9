"""One node's work layer by layer: which pass needs which, what is on its way beside them, and what is waited for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import altair as alt
import pandas as pd

from rebuttal.core.timeline import Timeline
from rebuttal.figures import chart_rows, gantt_chart
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, area_key, method_key, panel
from rebuttal.figures.theme import words
from rebuttal.simulation.timeline_metrics import by_layer

KINDS = {
    "gradient": ("gradient of all layers", "forward and backward pass in one piece, on a row of its own", "#00937a"),
    "forward": ("forward pass", "of one layer; it needs the layer below, and this layer's weights", "#7cc8b8"),
    "backward": ("backward pass", "of one layer; it needs the layer above", "#0b7a68"),
    "all-reduce": ("all-reduce", "the nodes average this layer's gradient, one layer after the other", "#9a5fb5"),
    "wait": ("wait", "the average is there, and waits until the method uses it", "#9aa1a9"),
    "update": ("update", "this layer's weights change; the number is that of the batches it rests on", "#1f77b4"),
}  # fmt: skip
KEY = area_key(KINDS)
ALL = "all"  # the row of what is done for all layers at once
ROW = 20


def stored(files: Mapping[str, Path], updates: int) -> pd.DataFrame:
    """The rows of stored time lines (label -> file), of node 0, until the first has made so many updates."""
    return of({label: Timeline.load(path) for label, path in files.items()}, updates)


def of(runs: Mapping[str, Timeline], updates: int) -> pd.DataFrame:
    """The same of time lines; `attrs` has the clock and where the picture ends."""
    return gantt_chart.tables(runs, updates, lambda run, until_s: by_layer(run, 0, until_s))


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
    x, y = gantt_chart.axes("ms", end_ms, "row:N", "layer", order)
    tip = ("kind", "row", "step", "start_ms", "end_ms")
    m = marks(frame.drop(columns="method"), x, y, key, "kind", tip)
    update = m.where("datum.kind == 'update'").against(x=alt.X("end_ms:Q"))
    layers = [
        m.where("datum.kind == 'wait'").bar("end_ms", rule=True, strokeDash=[2, 2], yOffset=6),
        m.where("datum.kind == 'all-reduce'").bar("end_ms", height=4, yOffset=6),
        m.where("indexof(['forward', 'backward', 'gradient'], datum.kind) >= 0").bar(
            "end_ms", height={"band": 0.55}, yOffset=-2
        ),
        update.tick(thickness=2.5, height=16),
        update.text("step:N", dy=-5, color=KINDS["update"][2]),
    ]
    title = words(method)
    say = f"One node's work of {title} by layer over {end_ms:.3g} milliseconds, {len(order)} rows."
    return panel(layers, title, about, say, key, 30 + ROW * len(order), method)


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
