"""Layer by layer of full-size models: where the parameters are, where the time is, and what must be sent."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Panel, axis, dim_key, panel
from rebuttal.figures.sentences import in_words, largest, percent
from rebuttal.figures.theme import words

POWERS = alt.Axis(values=[10.0**power for power in range(-5, 4)])  # no lines between: there are many panels


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Communication over computation of each layer, a panel per model, a line per machine."""
    nodes, key = chart_rows.middle(data.nodes), dim_key(data, "machine")
    frame = chart_rows.some(rows(data), "layer_ratios")
    about = f"{nodes} nodes; {data.attrs['batch']} samples on each; {chart_rows.clock(data)}"
    for model, part in by_model(frame):
        m = marks(
            part.drop(columns="model"),
            layer_axis(),
            axis(alt.Y, "ratio", "communication / computation, log scale", log=True, axis=POWERS),
            key, "machine", ("machine", "layer", "ratio", "compute_s", "communication_s"),
        )  # fmt: skip
        layers = [line_at(y=1.0), m.line(tip=True, dashed=False, opacity=0.8), m.point(size=40, aria=False)]
        say = f"Communication over computation of every layer of {words(model)} that has parameters, by machine."
        yield panel(layers, words(model), about, say, key)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: model, layer, machine, ratio, compute_s, communication_s, of the layers that have parameters."""
    some = data.sel(nodes=chart_rows.middle(data.nodes)).isel(layer=data.parameters.values > 0)
    frame = some[["ratio", "compute_s", "communication_s"]].to_dataframe().reset_index()
    frame = frame.drop(columns="layer").rename(columns={"name": "layer"})
    order = ["model", "layer", "machine", "ratio", "compute_s", "communication_s"]
    return pd.DataFrame(frame[order])


def table(data: xr.Dataset) -> pd.DataFrame:
    """The layer with the largest ratio of every model on every machine."""
    frame = rows(data)
    largest = frame.groupby(["model", "machine"], sort=False)["ratio"].idxmax()
    return chart_rows.short(pd.DataFrame(frame.loc[largest]))


def layer_axis() -> alt.X:
    """An axis of layers in the order of the model."""
    labels = alt.Axis(labelAngle=-60, labelFontSize=10, labelLimit=90)
    return alt.X("layer:N", title="layer, first to last", sort=None, axis=labels)


def by_model(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(model, its rows) of a frame with a column `model`."""
    for model, part in frame.groupby("model", sort=False):
        yield str(model), part


def finding(data: xr.Dataset) -> str:
    """The dearest layer, and how many layers take longer to send than to compute."""
    nodes = chart_rows.middle(data.nodes)
    ratio = data.ratio.sel(nodes=nodes).isel(layer=data.parameters.values > 0)
    at = largest(ratio)
    dearer = (ratio > 1).mean("layer")
    low, high = dearer.idxmin().item(), dearer.idxmax().item()
    return (
        f"On {nodes} nodes the message of {at['name'].item()} in {in_words(at.model)} takes {number(at.item())} times "
        f"as long as its passes on {in_words(at.machine)}, the most of all. From {percent(dearer.min())} of the layers "
        f"({words(low)}) to {percent(dearer.max())} ({words(high)}) take longer to send than to compute."
    )


FIGURE = Figure(
    title="Communication over computation of each layer",
    reads={"layer_ratios": ("ratio", "compute_s", "communication_s", "parameters")},
    how_to_read=(
        "Above the dashed line a layer's gradient takes longer to send than the layer takes to compute. Every "
        "layer's gradient is one message; layers without parameters send nothing and are left out. Both axes "
        "matter: back-propagation ends with the first layer, so what is dear to send there finds nothing to "
        "hide behind."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="flops",
    across=2,
)
