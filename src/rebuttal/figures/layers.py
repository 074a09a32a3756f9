"""Layer by layer of full-size models: where the parameters are, where the time is, and what must be sent."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, theme
from rebuttal.figures.panel import Panel, axis, colour, dash, dim_key, panel, plain_key, shape, tips
from rebuttal.figures.theme import words

NEEDED = ["parameters", "flops", "compute_s", "communication_s", "ratio"]
POWERS = alt.Axis(values=[10.0**power for power in range(-5, 4)])  # no lines between: there are many panels
SHARES = {
    "parameters": "share of the model's parameters, and so of the bytes that are sent",
    "operations": "share of its operations, forward and backward",
}


def ratio_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Communication over computation of each layer, a panel per model, a line per machine."""
    chart_rows.need(data, "layer_ratios", NEEDED)
    nodes, key = chart_rows.middle(data.nodes), dim_key(data, "machine")
    frame = chart_rows.some(ratio_rows(data), "layer_ratios")
    about = f"{nodes} nodes; {data.attrs['batch']} samples on each; {chart_rows.clock(data)}"
    found = []
    for model, part in _by_model(frame):
        base = alt.Chart(chart_rows.small(part.drop(columns="model")))
        y = axis(alt.Y, "ratio", "communication / computation, log scale", log=True, axis=POWERS)
        tip = tips("machine", "layer", "ratio", "compute_s", "communication_s")
        line = base.mark_line(opacity=0.8).encode(_layers(), y, colour(key, "machine"), tooltip=tip)
        point = base.mark_point(filled=True, size=40, aria=False).encode(
            _layers(), y, colour(key, "machine"), shape(key, "machine"), tooltip=tip
        )
        one = (
            alt.Chart(pd.DataFrame({"y": [1.0]}))
            .mark_rule(color=theme.SOFT, strokeDash=[2, 2])
            .encode(y="y:Q")
        )
        say = f"Communication over computation of every layer of {words(model)} that has parameters, by machine."
        found.append(panel([one, line, point], words(model), about, say, key))
    return found


def ratio_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: model, layer, machine, ratio, compute_s, communication_s, of the layers that have parameters."""
    some = data.sel(nodes=chart_rows.middle(data.nodes)).isel(layer=data.parameters.values > 0)
    frame = some[["ratio", "compute_s", "communication_s"]].to_dataframe().reset_index()
    frame = frame.drop(columns="layer").rename(columns={"name": "layer"})
    order = ["model", "layer", "machine", "ratio", "compute_s", "communication_s"]
    return pd.DataFrame(frame[order])


def ratio_table(data: xr.Dataset) -> pd.DataFrame:
    """The layer with the largest ratio of every model on every machine."""
    frame = ratio_rows(data)
    largest = frame.groupby(["model", "machine"], sort=False)["ratio"].idxmax()
    return chart_rows.short(pd.DataFrame(frame.loc[largest]))


def share_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Each layer's share of its model's parameters, operations and seconds, a panel per model."""
    chart_rows.need(data, "where_time_is", NEEDED)
    frame = chart_rows.some(share_rows(data), "where_time_is")
    lines = {f"seconds_on_{name}": f"share of the computing time on {words(name)}" for name in _ends(data)}
    key = plain_key(SHARES | lines)
    about = f"{data.attrs['batch']} samples; {chart_rows.clock(data)}"
    found = []
    for model, part in _by_model(frame):
        base = alt.Chart(chart_rows.small(part.drop(columns="model")))
        y = axis(alt.Y, "share", "share of the whole model (%)", zero=True)
        tip = tips("layer", "what", "share")
        line = base.mark_line(opacity=0.8).encode(
            _layers(), y, colour(key, "what"), dash(key, "what"), tooltip=tip
        )
        point = base.mark_point(filled=True, size=36, aria=False).encode(
            _layers(), y, colour(key, "what"), shape(key, "what"), tooltip=tip
        )
        say = f"Share of every layer of {words(model)} in parameters, operations and computing time."
        found.append(panel([line, point], words(model), about, say, key))
    return found


def share_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: model, layer, what, share in per cent; layers that have neither parameters nor operations left out."""
    seconds = {f"seconds_on_{name}": data.compute_s.sel(machine=name, drop=True) for name in _ends(data)}
    parts = {"parameters": data.parameters, "operations": data.flops} | seconds
    weighty = ((data.parameters > 0) | (data.flops > 0)).values
    rows = []
    for what, given in parts.items():
        values = given.reset_coords(drop=True)
        whole = values.groupby(data.model).sum().sel(model=data.model).values
        rows.append(pd.DataFrame({"model": data.model.values, "layer": data.name.values, "what": what,
                                  "share": 100 * values.values / whole})[weighty])  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def share_table(data: xr.Dataset) -> pd.DataFrame:
    """The layer with the most parameters and the one with the most operations, with all their shares."""
    wide = share_rows(data).pivot_table(index=["model", "layer"], columns="what", values="share", sort=False)
    wide = wide.reset_index()
    places = [wide.groupby("model", sort=False)[what].idxmax() for what in ("parameters", "operations")]
    chosen = list(dict.fromkeys(place for pair in zip(*places, strict=True) for place in pair))
    shown = pd.DataFrame(wide.loc[chosen])
    shown.columns = [str(name) if name in ("model", "layer") else f"{name} (%)" for name in shown.columns]
    return chart_rows.short(shown)


def _ends(data: xr.Dataset) -> list[str]:
    """The first and the last machine: the oldest and the newest."""
    names = [str(name) for name in data.machine.values]
    return list(dict.fromkeys([names[0], names[-1]]))


def _layers() -> alt.X:
    """An axis of layers in the order of the model."""
    labels = alt.Axis(labelAngle=-60, labelFontSize=10, labelLimit=90)
    return alt.X("layer:N", title="layer, first to last", sort=None, axis=labels)


def _by_model(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for model, part in frame.groupby("model", sort=False):
        yield str(model), part
