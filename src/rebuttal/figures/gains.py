"""What overlap, delay and a parameter server make of a model on a machine: bounds, and each form on the whole grid."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows, theme
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Entry, Panel, axis, dim_key, panel
from rebuttal.figures.sentences import grid_place, in_words, largest
from rebuttal.figures.theme import Style, words

DRAWN = ("layer_wise_overlapped", "bucketed", "layer_wise_asynchronous", "delayed_all_reduce")
BOUND = Entry("bound", "bound", "the most that is possible at this ratio, with a backward pass of twice the forward "
              "pass and updates and latencies of no cost", Style("#7b8087", theme.SOLID, "circle"))  # fmt: skip
CLAIM = Entry(
    "claim", "claim", "what the layer-wise paper reports at most", Style("#7b8087", theme.DASHED, "circle")
)
WORTH = 1.5  # a speed-up that is called large
BASELINE = "one communication after the backward pass"


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Speed-up against communication over computation, a panel per form, a point per place of the grid."""
    frame = chart_rows.some(rows(data), "layer_wise_speedups")
    models = dim_key(data, "model")
    lines = dict(zip(data.form.values.tolist(), data.form_about.values.tolist(), strict=True))
    claim = line_at(y=float(data.attrs["claimed"]), look=CLAIM)
    for form, part in chart_rows.keep(frame, frame["form"].isin(DRAWN)).groupby("form", sort=False):
        m = marks(
            part.drop(columns="form"),
            axis(alt.X, "ratio", "communication / computation, log scale", log=True),
            axis(alt.Y, "speedup", "speed-up over one communication"),
            models, "model", ("model", "machine", "nodes", "batch", "ratio", "speedup"),
        )  # fmt: skip
        bound = alt.Chart(_bound(data, str(form), part)).mark_line(
            color=BOUND.style.colour, strokeWidth=1.5).encode(m.x, alt.Y("speedup:Q"))  # fmt: skip
        about = f"{lines[str(form)]}; {len(part)} places; {chart_rows.clock(data)}"
        say = f"Speed-up of {words(str(form))} over {BASELINE} against communication over computation, with its bound."
        yield panel(
            [claim, bound, m.point(size=22, opacity=0.7, aria=False)],
            words(str(form)),
            about,
            say,
            (*models, BOUND, CLAIM),
        )


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: form, model, machine, nodes, batch, ratio, speedup, without the form that is compared with."""
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


def table(data: xr.Dataset) -> pd.DataFrame:
    """The largest speed-up of every form on every machine, largest first, where it is reached, and at which ratio."""
    frame = rows(data)
    best = pd.DataFrame(frame.loc[frame.groupby(["form", "machine"], sort=False)["speedup"].idxmax()])
    return chart_rows.short(best.sort_values("speedup", ascending=False, kind="stable"))


def finding(data: xr.Dataset) -> str:
    """The claim: the largest speed-up with and without staleness, against what is claimed and what is possible."""
    delayed = [str(form) for form in data.form.values if str(form).startswith("delayed")]
    fresh = data.speedup.drop_sel(form=[*delayed, data.attrs["baseline"]])
    best, stale, claimed = largest(fresh), largest(data.speedup.sel(form=delayed)), data.attrs["claimed"]
    top = fresh.max("form")
    side = "at least" if best.item() >= claimed else "below"
    return (
        f"Without staleness the largest speed-up is {number(best.item())} times ({in_words(best.form)}, "
        f"{grid_place(best)}), {side} the reported {number(claimed)}; overlap is bounded by "
        f"{number(float(data.overlap_bound.max()))}. The best form gains {number(WORTH)} times or more in "
        f"{int((top >= WORTH).sum())} of {top.size} places, and {number(float(top.median()))} times in the middle one. "
        f"With gradients one update old, {grid_place(stale)} gains {number(stale.item())} times."
    )


FIGURE = Figure(
    title="Speed-up of each form over synchronous SGD with one communication",
    reads={"speedups": ("speedup", "ratio", "overlap_bound", "delay_bound")},
    how_to_read=(
        "Every point is a model on a machine with a number of nodes and of samples on each. The line is the "
        "bound at the same ratio, the dashed one what the paper reports at most. Points far below the bound pay "
        "for the latency of many messages, or have a layer whose message ends after everything else. A delayed "
        "message hides behind the update as well, which lifts its points above the line. All forms are in the "
        "data table."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="overlap_bound",
    across=2,
)
