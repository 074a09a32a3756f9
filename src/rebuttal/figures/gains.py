"""What overlap, delay and a parameter server make of a model on a machine: bounds, and each form on the whole grid."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, theme
from rebuttal.figures.panel import Entry, Panel, axis, colour, dim_key, panel, plain_key, shape, tips
from rebuttal.figures.theme import Style, words

CEILINGS = {
    "overlap_ceiling": "the most that overlap with the backward pass can gain, without staleness",
    "delay_ceiling": "the most that communication beside a whole iteration can gain, with gradients one update old",
    "server_speedup": "a synchronous parameter server, which serves one worker after the other",
}
DRAWN = ("layer_wise_overlapped", "bucketed", "layer_wise_asynchronous", "delayed_all_reduce")
BOUND = Entry("bound", "bound", "the most that is possible at this ratio, with a backward pass of twice the forward "
              "pass and updates and latencies of no cost", Style("#7b8087", theme.SOLID, "circle"))  # fmt: skip
CLAIM = Entry(
    "claim", "claim", "what the layer-wise paper reports at most", Style("#7b8087", theme.DASHED, "circle")
)
BASELINE = "one communication after the backward pass"


def ceiling_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Speed-ups over one communication at best, a panel per machine, a row per model."""
    frame = chart_rows.some(ceiling_rows(data), "overlap_delay_server")
    key = plain_key(CEILINGS, "point")
    about = f"{chart_rows.middle(data.nodes)} nodes; {data.attrs['batch']} samples on each; {chart_rows.clock(data)}"
    names = {str(name): words(str(name)) for name in data.model.values}
    top = 1.05 * float(chart_rows.column(frame, "speedup").max())  # one scale for all machines
    found = []
    for machine, part in frame.groupby("machine", sort=False):
        base = alt.Chart(chart_rows.small(part.drop(columns="machine")))
        x = alt.X("speedup:Q", title="speed-up over one communication", scale=alt.Scale(domain=[0, top]))
        y = alt.Y("model:N", title=None, sort=None,
                  axis=alt.Axis(labelExpr=f"{names!r}[datum.label]".replace("'", '"'), labelLimit=150))  # fmt: skip
        point = base.mark_point(filled=True, size=56, opacity=1).encode(
            x, y, colour(key, "what"), shape(key, "what"), yOffset=alt.YOffset("what:N", sort=list(CEILINGS)),
            tooltip=tips("model", "what", "speedup", "ratio"))  # fmt: skip
        one = (
            alt.Chart(pd.DataFrame({"x": [1.0]}))
            .mark_rule(color=theme.SOFT, strokeDash=[2, 2])
            .encode(x="x:Q")
        )
        say = f"What overlap, a delay and a parameter server make of each model on {words(str(machine))}, at best."
        found.append(panel([one, point], words(str(machine)), about, say, key, height=260))
    return found


def ceiling_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: machine, model, ratio, what, speedup, at the middle number of nodes."""
    chart_rows.need(data, "overlap_delay_server", [*CEILINGS, "ratio"])
    some = data.sel(nodes=chart_rows.middle(data.nodes))[[*CEILINGS, "ratio"]].reset_coords(drop=True)
    frame = some.to_dataframe(["machine", "model"]).reset_index()
    return frame.melt(["machine", "model", "ratio"], var_name="what", value_name="speedup")


def ceiling_table(data: xr.Dataset) -> pd.DataFrame:
    """Ratio and bounds of every model on every machine."""
    index = ["machine", "model", "ratio"]
    wide = ceiling_rows(data).pivot_table(index=index, columns="what", values="speedup", sort=False)
    return chart_rows.short(wide.reset_index().rename_axis(columns=None))


def speedup_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Speed-up against communication over computation, a panel per form, a point per place of the grid."""
    frame = chart_rows.some(speedup_rows(data), "layer_wise_speedups")
    models = dim_key(data, "model")
    lines = dict(zip(data.form.values.tolist(), data.form_about.values.tolist(), strict=True))
    claim = alt.Chart(pd.DataFrame({"y": [float(data.attrs["claimed"])]})).mark_rule(
        color=CLAIM.style.colour, strokeDash=list(CLAIM.style.dash)).encode(y="y:Q")  # fmt: skip
    found = []
    for form, part in chart_rows.keep(frame, frame["form"].isin(DRAWN)).groupby("form", sort=False):
        base = alt.Chart(chart_rows.small(part.drop(columns="form")))
        x = axis(alt.X, "ratio", "communication / computation, log scale", log=True)
        y = axis(alt.Y, "speedup", "speed-up over one communication")
        point = base.mark_point(filled=True, size=22, opacity=0.7, aria=False).encode(
            x, y, colour(models, "model"), shape(models, "model"),
            tooltip=tips("model", "machine", "nodes", "batch", "ratio", "speedup"))  # fmt: skip
        bound = alt.Chart(_bound(data, str(form), part)).mark_line(
            color=BOUND.style.colour, strokeWidth=1.5).encode(x, alt.Y("speedup:Q"))  # fmt: skip
        about = f"{lines[str(form)]}; {len(part)} places; {chart_rows.clock(data)}"
        say = f"Speed-up of {words(str(form))} over {BASELINE} against communication over computation, with its bound."
        found.append(panel([claim, bound, point], words(str(form)), about, say, (*models, BOUND, CLAIM)))
    return found


def speedup_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: form, model, machine, nodes, batch, ratio, speedup, without the form that is compared with."""
    chart_rows.need(data, "layer_wise_speedups", ["speedup", "ratio", "overlap_bound", "delay_bound"])
    plain = data[["speedup", "ratio"]].reset_coords(drop=True)
    order = ["form", "model", "machine", "nodes", "batch"]
    frame = plain.to_dataframe(order).reset_index()
    return chart_rows.keep(
        pd.DataFrame(frame[[*order, "ratio", "speedup"]]), frame["form"] != data.attrs["baseline"]
    )


def _bound(data: xr.Dataset, form: str, part: pd.DataFrame) -> pd.DataFrame:
    """The bound over the ratios that the points cover: the delay's for forms that are delayed."""
    which = "delay_bound" if form.startswith("delayed") else "overlap_bound"
    low, high = part["ratio"].min(), part["ratio"].max()
    line = data[which].sel(bound_ratio=slice(low, high))
    return chart_rows.small(pd.DataFrame({"ratio": line.bound_ratio.values, "speedup": line.values}))


def speedup_table(data: xr.Dataset) -> pd.DataFrame:
    """The largest speed-up of every form on every machine, largest first, where it is reached, and at which ratio."""
    frame = speedup_rows(data)
    best = pd.DataFrame(frame.loc[frame.groupby(["form", "machine"], sort=False)["speedup"].idxmax()])
    return chart_rows.short(best.sort_values("speedup", ascending=False, kind="stable"))
