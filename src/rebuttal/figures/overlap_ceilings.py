"""The most that overlap, delay and a parameter server can make of a model on a machine."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks, named
from rebuttal.figures.panel import Panel, panel, plain_key
from rebuttal.figures.sentences import largest, place
from rebuttal.figures.theme import words

CEILINGS = {
    "overlap_ceiling": "the most that overlap with the backward pass can gain, without staleness",
    "delay_ceiling": "the most that communication beside a whole iteration can gain, with gradients one update old",
    "server_speedup": "a synchronous parameter server, which serves one worker after the other",
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Speed-ups over one communication at best, a panel per machine, a row per model."""
    frame = chart_rows.some(rows(data), "overlap_delay_server")
    key = plain_key(CEILINGS, "point")
    about = f"{chart_rows.middle(data.nodes)} nodes; {data.attrs['batch']} samples on each; {chart_rows.clock(data)}"
    names = {str(name): words(str(name)) for name in data.model.values}
    top = 1.05 * float(chart_rows.column(frame, "speedup").max())  # one scale for all machines
    for machine, part in frame.groupby("machine", sort=False):
        m = marks(
            part.drop(columns="machine"),
            alt.X("speedup:Q", title="speed-up over one communication", scale=alt.Scale(domain=[0, top])),
            alt.Y("model:N", title=None, sort=None, axis=alt.Axis(labelExpr=named(names), labelLimit=150)),
            key, "what", ("model", "what", "speedup", "ratio"),
            [alt.YOffset("what:N", sort=list(CEILINGS))],
        )  # fmt: skip
        say = f"What overlap, a delay and a parameter server make of each model on {words(str(machine))}, at best."
        yield panel(
            [line_at(x=1.0), m.point(size=56, opacity=1)],
            words(str(machine)),
            about,
            say,
            key,
            height=260,
        )


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: machine, model, ratio, what, speedup, at the middle number of nodes."""
    some = data.sel(nodes=chart_rows.middle(data.nodes))[[*CEILINGS, "ratio"]].reset_coords(drop=True)
    frame = some.to_dataframe(["machine", "model"]).reset_index()
    return frame.melt(["machine", "model", "ratio"], var_name="what", value_name="speedup")


def table(data: xr.Dataset) -> pd.DataFrame:
    """Ratio and bounds of every model on every machine."""
    index = ["machine", "model", "ratio"]
    wide = rows(data).pivot_table(index=index, columns="what", values="speedup", sort=False)
    return chart_rows.short(wide.reset_index().rename_axis(columns=None))


def finding(data: xr.Dataset) -> str:
    """Where overlap and delay can gain most, and how often a server is worth it."""
    nodes = chart_rows.middle(data.nodes)
    some = data.sel(nodes=nodes)
    overlap, delay = largest(some.overlap_ceiling), largest(some.delay_ceiling)
    slower = some.server_speedup < 1
    return (
        f"On {nodes} nodes overlap can gain most for {place(overlap)}, {number(overlap.item())} times at best; a "
        f"delay for {place(delay)}, {number(delay.item())} times. A parameter server is slower than one all-reduce in "
        f"{int(slower.sum())} of {slower.size} places."
    )


FIGURE = Figure(
    title="What overlap, delay and a parameter server can gain",
    reads={"model_ratios": ("overlap_ceiling", "delay_ceiling", "server_speedup", "ratio")},
    how_to_read=(
        "Right of the dashed line is faster than synchronous SGD with one communication. Overlap and delay are "
        "bounds, which a form reaches if more messages cost no more latency; the server is what it is."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="server_speedup",
    across=2,
)
