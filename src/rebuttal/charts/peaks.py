"""The most that each model gains on each machine, without staleness and with one update of it."""

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.charts import frames, theme
from rebuttal.charts.panel import Entry, Panel, colour, panel, plain_key, shape, tips
from rebuttal.charts.theme import Style, words

KINDS = {
    "fresh": "the best of the forms without staleness, at its best number of nodes and of samples on each",
    "delayed": "gradients one update old, at their best place",
}
BOUND = Entry("bound", "bound", "the most that overlap without staleness can gain, where the backward pass takes twice "
              "the forward pass", Style("#7b8087", theme.SOLID, "circle"))  # fmt: skip
CLAIM = Entry("claim", "claim", "what the layer-wise paper reports at most", Style("#7b8087", theme.DASHED, "circle"))
FIVE_THIRDS = 5 / 3


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: machine, model, what (a key of KINDS), speedup, form, ratio, nodes, batch."""
    frames.need(data, "peak_speedups", ["speedup", "ratio", "at_nodes", "at_batch"])
    names = ["speedup", "ratio", "at_nodes", "at_batch"]
    frame = data[names].reset_coords(drop=True).to_dataframe(["machine", "model", "form"]).reset_index()
    frame["what"] = ["delayed" if str(form).startswith("delayed") else "fresh" for form in frame["form"]]
    best = frame.groupby(["machine", "model", "what"], sort=False)["speedup"].idxmax()
    found = pd.DataFrame(frame.loc[best]).rename(columns={"at_nodes": "nodes", "at_batch": "batch"})
    return pd.DataFrame(found[["machine", "model", "what", "speedup", "form", "ratio", "nodes", "batch"]])


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """A panel per machine, a row per model, all with the same axis."""
    frame = frames.some(rows(data), "peak_speedups")
    key = (*plain_key(KINDS, "point"), BOUND, CLAIM)
    names = {str(name): words(str(name)) for name in data.model.values}
    top = 1.03 * max(float(data.attrs["claimed"]), float(frames.column(frame, "speedup").max()))
    marks = pd.DataFrame({"x": [FIVE_THIRDS, float(data.attrs["claimed"])], "what": ["bound", "claim"]})
    found = []
    for machine, part in frame.groupby("machine", sort=False):
        base = alt.Chart(frames.small(part.drop(columns="machine")))
        x = alt.X("speedup:Q", title="largest speed-up over one communication", scale=alt.Scale(domain=[1, top]))
        labels = alt.Axis(labelExpr=f"{names!r}[datum.label]".replace("'", '"'), labelLimit=150)
        y = alt.Y("model:N", title=None, sort=list(names), axis=labels)
        point = base.mark_point(filled=True, size=60, opacity=1).encode(
            x, y, colour(key, "what"), shape(key, "what"),
            tooltip=tips("model", "what", "speedup", "form", "nodes", "batch", "ratio"))  # fmt: skip
        lines = [alt.Chart(marks[marks["what"] == entry.label]).mark_rule(
            color=entry.style.colour, strokeDash=list(entry.style.dash)).encode(x="x:Q") for entry in (BOUND, CLAIM)]  # fmt: skip
        say = f"The largest speed-up of each model on {words(str(machine))}, without staleness and with a delay."
        about = f"best of {_searched(data)} places; {frames.clock(data)}"
        found.append(panel([*lines, point], words(str(machine)), about, say, key, height=40 + 26 * len(names)))
    return found


def _searched(data: xr.Dataset) -> int:
    """How many pairs of nodes and batches."""
    return len(np.atleast_1d(data.attrs["nodes_searched"])) * len(np.atleast_1d(data.attrs["batches_searched"]))


def finding(data: xr.Dataset) -> str:
    """Where the reported figure is met without staleness, and the largest of all."""
    frame = rows(data)
    fresh = frames.keep(frame, frame["what"] == "fresh")
    best, claimed = fresh.loc[fresh["speedup"].idxmax()], float(data.attrs["claimed"])
    near = fresh["speedup"].round(1) >= claimed
    return (
        f"Without staleness the largest speed-up is {best['speedup']:.4g} times ({words(str(best['model']))} on "
        f"{words(str(best['machine']))}, {best['nodes']:.0f} nodes, {best['batch']:.0f} samples on each). It rounds to "
        f"the reported {claimed:g} or more for {int(near.sum())} of {len(fresh)} pairs of a model and a machine; the "
        f"middle pair gains {float(fresh['speedup'].median()):.3g} times."
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """Every model on every machine without staleness, largest first."""
    frame = rows(data)
    fresh = frames.keep(frame, frame["what"] == "fresh").drop(columns="what")
    return frames.short(fresh.sort_values("speedup", ascending=False, kind="stable"))
