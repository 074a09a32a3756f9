"""Weak and strong scaling: what is left of each node's throughput as nodes are added."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, dash, dim_key, panel
from rebuttal.figures.sentences import largest, percent, place, smallest
from rebuttal.figures.theme import DASHED, SOFT, SOLID, Style, words

FORMS = {"all_reduce": "at once", "layer_wise_overlapped": "layer by layer"}
FORM_KEY = (
    Entry("at once", "at once", "one communication after the backward pass", Style(SOFT, SOLID, "circle")),
    Entry("layer by layer", "layer by layer", "each layer's communication beside the backward passes below it",
          Style(SOFT, DASHED, "circle")),
)  # fmt: skip
KINDS = {"weak": "samples on each node", "strong": "samples in all"}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Efficiency against nodes, a panel per machine and kind of scaling, a colour per model, a dash per form."""
    frame, models = chart_rows.some(rows(data), "scaling"), dim_key(data, "model")
    key = (*models, *FORM_KEY)
    for kind, machine, part in chart_rows.groups(frame, "scaling", "machine"):
        m = marks(
            part.drop(columns=["scaling", "machine"]),
            axis(alt.X, "nodes", "nodes, log scale", log=True, axis=alt.Axis(values=[1, 32, 1024])),
            axis(alt.Y, "efficiency", "throughput per node, over one alone", zero=True),
            models, "model", ("model", "form", "nodes", "efficiency", "samples_per_s"), [dash(FORM_KEY, "form")],
        )  # fmt: skip
        line = m.line(tip=True, dashed=False, point={"size": 14, "aria": False}, strokeWidth=1.8)
        samples = data.attrs["batch"] if kind == "weak" else data.attrs["global_batch"]
        about = f"{samples} {KINDS[kind]}; {chart_rows.clock(data)}"
        say = f"Efficiency of {kind} scaling on {words(machine)} against the number of nodes, by model and form."
        yield panel([line], f"{kind} scaling, {words(machine)}", about, say, key, height=220)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: scaling, machine, model, form, nodes, efficiency, samples_per_s; without what cannot be shared out."""
    some = data.sel(form=list(FORMS))[["efficiency", "samples_per_s"]].reset_coords(drop=True)
    frame = some.to_dataframe(["scaling", "machine", "model", "form", "nodes"]).reset_index()
    frame["form"] = [FORMS[form] for form in frame["form"]]
    return chart_rows.keep(frame, frame["efficiency"].notna())


def table(data: xr.Dataset) -> pd.DataFrame:
    """At the largest number of nodes: efficiency of weak and of strong scaling with one communication."""
    frame = rows(data)
    last = chart_rows.keep(
        frame, (frame["nodes"] == frame["nodes"].max()) & (frame["form"] == FORMS["all_reduce"])
    )
    wide = last.pivot_table(
        index=["machine", "model", "nodes"], columns="scaling", values="efficiency", sort=False
    )
    return chart_rows.short(wide.reset_index().rename_axis(columns=None))


def finding(data: xr.Dataset) -> str:
    """What is left at the largest number of nodes with one communication."""
    last = data.efficiency.sel(form="all_reduce").isel(nodes=-1)
    parts = []
    for kind in ("weak", "strong"):
        some = last.sel(scaling=kind)
        if bool(some.notnull().any()):
            worst, best = smallest(some), largest(some)
            parts.append(f"{kind} scaling keeps from {percent(worst)} ({place(worst)}) to {percent(best)} "
                         f"({place(best)})")  # fmt: skip
    return f"On {int(last.nodes)} nodes with one communication, {'; '.join(parts)} of a node's throughput."


FIGURE = Figure(
    title="Weak and strong scaling",
    reads={"scaling": ("efficiency", "samples_per_s")},
    how_to_read=(
        "A line at the top would lose nothing. Weak: every node keeps its batch, so that only communication "
        "grows. Strong: one batch is shared out, and every node computes less, until it is too little to use "
        "the device. Solid lines are one communication, dashed ones overlap it layer by layer."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="efficiency",
    across=3,
)
