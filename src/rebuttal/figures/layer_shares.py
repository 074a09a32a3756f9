"""Layer by layer of full-size models: where the parameters are, and where the time is."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.layers import by_model, layer_axis
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.sentences import in_words, percent
from rebuttal.figures.theme import words

SHARES = {
    "parameters": "share of the model's parameters, and so of the bytes that are sent",
    "operations": "share of its operations, forward and backward",
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Each layer's share of its model's parameters, operations and seconds, a panel per model."""
    frame = chart_rows.some(rows(data), "where_time_is")
    lines = {f"seconds_on_{name}": f"share of the computing time on {words(name)}" for name in _ends(data)}
    key = plain_key(SHARES | lines)
    about = f"{data.attrs['batch']} samples; {chart_rows.clock(data)}"
    for model, part in by_model(frame):
        m = marks(
            part.drop(columns="model"),
            layer_axis(),
            axis(alt.Y, "share", "share of the whole model (%)", zero=True),
            key, "what", ("layer", "what", "share"),
        )  # fmt: skip
        say = f"Share of every layer of {words(model)} in parameters, operations and computing time."
        yield panel(
            [m.line(tip=True, opacity=0.8), m.point(size=36, aria=False)], words(model), about, say, key
        )


def rows(data: xr.Dataset) -> pd.DataFrame:
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


def table(data: xr.Dataset) -> pd.DataFrame:
    """The layer with the most parameters and the one with the most operations, with all their shares."""
    wide = rows(data).pivot_table(index=["model", "layer"], columns="what", values="share", sort=False)
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


def _share(values: xr.DataArray, chosen: xr.DataArray) -> xr.DataArray:
    """The share of the chosen layers in each model's sum."""
    plain = values.reset_coords(drop=True).assign_coords(model=values.model)
    return plain.where(chosen.values, 0).groupby("model").sum() / plain.groupby("model").sum()


def finding(data: xr.Dataset) -> str:
    """The model whose fully connected layers hold most of it: of its parameters, operations and seconds."""
    linear = data.kind == "linear"
    parts = {"parameters": data.parameters, "operations": data.flops}
    shares = {name: _share(values, linear) for name, values in parts.items()}
    model = str(shares["parameters"].idxmax("model").item())
    seconds = _share(data.compute_s, linear).sel(model=model)
    first, *last = _ends(data)
    ends = f"{percent(seconds.sel(machine=first))} of the computing time on {in_words(first)}"
    ends += "".join(f" and {percent(seconds.sel(machine=m))} on {in_words(m)}" for m in last)
    return (
        f"The fully connected layers of {words(model)} hold {percent(shares['parameters'].sel(model=model))} of its "
        f"parameters and {percent(shares['operations'].sel(model=model))} of its operations; they take {ends}."
    )


FIGURE = Figure(
    title="Where the parameters are, and where the time is",
    reads={"layer_ratios": ("parameters", "flops", "compute_s")},
    how_to_read=(
        "Each point is a layer, or a block of layers, from the first to the last: its share of the model's "
        "parameters, of its operations, and of its computing time on an old and on a new machine. Where the "
        "line of the parameters is above the others, there is much to send and little to hide it behind."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=2,
)
