"""The most that each model gains on each machine, without staleness and with one update of it."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, theme
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks, named
from rebuttal.figures.panel import Entry, Panel, panel, plain_key
from rebuttal.figures.theme import Style, words

FRESH = ("layer_wise_overlapped", "bucketed", "layer_wise_asynchronous", "layer_wise_lazy")
DELAYED = "delayed_all_reduce"
KINDS = {
    "fresh": "the best of the forms that overlap without staleness, at its best number of nodes and of samples on each",
    "delayed": "gradients one update old, at their best place",
}
BOUND = Entry("bound", "bound", "the most that overlap without staleness can gain, where the backward pass takes twice "
              "the forward pass", Style("#7b8087", theme.SOLID, "circle"))  # fmt: skip
CLAIM = Entry(
    "claim", "claim", "what the layer-wise paper reports at most", Style("#7b8087", theme.DASHED, "circle")
)
FIVE_THIRDS = 5 / 3


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: machine, model, what (a key of KINDS), speedup, form, ratio, nodes, batch."""
    names = ["speedup", "ratio", "at_nodes", "at_batch"]
    some = data[names].sel(form=[*FRESH, DELAYED]).reset_coords(drop=True)
    frame = some.to_dataframe(["machine", "model", "form"]).reset_index()
    frame["what"] = ["delayed" if form == DELAYED else "fresh" for form in frame["form"]]
    best = frame.groupby(["machine", "model", "what"], sort=False)["speedup"].idxmax()
    found = pd.DataFrame(frame.loc[best]).rename(columns={"at_nodes": "nodes", "at_batch": "batch"})
    return pd.DataFrame(found[["machine", "model", "what", "speedup", "form", "ratio", "nodes", "batch"]])


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """A panel per machine, a row per model, all with the same axis."""
    frame = chart_rows.some(rows(data), "peak_speedups")
    key = (*plain_key(KINDS, "point"), BOUND, CLAIM)
    names = {str(name): words(str(name)) for name in data.model.values}
    top = 1.03 * max(float(data.attrs["claimed"]), float(chart_rows.column(frame, "speedup").max()))
    scale = alt.Scale(domain=[0.95, top])
    for machine, part in frame.groupby("machine", sort=False):
        m = marks(
            part.drop(columns="machine"),
            alt.X("speedup:Q", title="largest speed-up over one communication", scale=scale),
            alt.Y("model:N", title=None, sort=list(names),
                  axis=alt.Axis(labelExpr=named(names), labelLimit=150)),
            key, "what", ("model", "what", "speedup", "form", "nodes", "batch", "ratio"),
        )  # fmt: skip
        lines = [
            line_at(x=FIVE_THIRDS, look=BOUND, scale=scale),
            line_at(x=float(data.attrs["claimed"]), look=CLAIM, scale=scale),
        ]
        say = f"The largest speed-up of each model on {words(str(machine))}, without staleness and with a delay."
        about = f"best of {_searched(data)} places; {chart_rows.clock(data)}"
        yield panel(
            [*lines, m.point(size=60, opacity=1)],
            words(str(machine)),
            about,
            say,
            key,
            height=40 + 26 * len(names),
        )


def _searched(data: xr.Dataset) -> int:
    """How many pairs of nodes and batches."""
    return np.size(data.attrs["nodes_searched"]) * np.size(data.attrs["batches_searched"])


def finding(data: xr.Dataset) -> str:
    """Where the reported figure is met without staleness, and the largest of all."""
    frame = rows(data)
    fresh = chart_rows.keep(frame, frame["what"] == "fresh").sort_values("speedup", ascending=False)
    best, claimed = fresh.iloc[0].to_dict(), float(data.attrs["claimed"])
    speedup = chart_rows.column(fresh, "speedup")
    place = f"{words(str(best['model']))} on {words(str(best['machine']))}"
    met = int((speedup.round(1) >= claimed).sum())
    return (
        f"Without staleness the largest speed-up is {best['speedup']:.4g} times ({place}, {best['nodes']:.0f} nodes, "
        f"{best['batch']:.0f} samples on each). It rounds to the reported {claimed:g} for {met} of {len(fresh)} "
        f"pairs of a model and a machine; the middle pair gains {np.median(speedup):.3g} times."
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """Every model on every machine without staleness, largest first."""
    frame = rows(data)
    fresh = chart_rows.keep(frame, frame["what"] == "fresh").drop(columns="what")
    return chart_rows.short(fresh.sort_values("speedup", ascending=False, kind="stable"))


FIGURE = Figure(
    title="The largest speed-up of each network on each machine",
    reads={"peak_speedups": ("speedup", "ratio", "at_nodes", "at_batch")},
    how_to_read=(
        "Further right is faster than synchronous training with one communication. Each mark is the best that a "
        "search over numbers of nodes and of samples on each finds: where communication takes about as long as "
        "the backward pass. The solid line bounds what overlap without staleness can gain, the dashed one is "
        "what the paper reports at most. A network whose marks stay left has no place on that machine with so "
        "much to send."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="at_batch",
    across=2,
)
