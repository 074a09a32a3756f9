"""The map of depth and batch: where the delay costs updates, and where a pipeline that is never drained is faster."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import enumerated
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import CELL_INK, EVEN, GAIN, LOSS
from rebuttal.figures.panel import Entry, Panel, area_key, panel, tips
from rebuttal.figures.theme import DASHED, DOTTED, Style

BOUNDARIES = {
    "theorem": ("left of it the theorem of Lian et al. (2015) bounds what the delay costs", DASHED, "diamond"),
    "stability": ("right of it gradients that are all T updates late would diverge at the rate without delay",
                  DOTTED, "triangle-up"),
}  # fmt: skip
COSTS = "updates, or time, against the synchronous method with the same batch; the number says how many times"
KEY = (
    *area_key({
        "worse": ("costs", COSTS, LOSS),
        "even": ("even", "no difference", EVEN),
        "better": ("gains", "against the best synchronous method with the same batch", GAIN),
    }),
    *(Entry(name, name, line, Style(CELL_INK, dash, shape)) for name, (line, dash, shape) in BOUNDARIES.items()),
)  # fmt: skip


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """What the delay costs in updates, and the speed-up for each kind of device, by layers and batch."""
    frame = chart_rows.some(rows(data), "delay_map")
    lines = _drawn(within(boundaries(data), frame))
    about = f"{data.sizes['seed']} seeds, mean; noisy quadratics; {chart_rows.clock(data)}"
    x = alt.X("layers_from:Q", title="layers L, delay T = 2 (L − 1), log scale", scale=_log(frame, "layers"),
              axis=alt.Axis(values=data.layers.values.tolist()))  # fmt: skip
    y = alt.Y("batch_from:Q", title="samples in an update M, log scale", scale=_log(frame, "batch"),
              axis=alt.Axis(values=data.batch.values.tolist()))  # fmt: skip
    tint = alt.Scale(type="log", domain=[0.25, 1, 4], range=[LOSS, EVEN, GAIN], clamp=True)
    for half, part in frame.groupby("half_batch", sort=False):
        title, what = _named(float(str(half)))
        say = f"Continuous propagation: {what} by layers and batch, with two boundaries that theory gives."
        base = alt.Chart(chart_rows.small(part.drop(columns="half_batch")))
        cell = base.mark_rect().encode(
            x, y, alt.X2("layers_to"), alt.Y2("batch_to"), color=alt.Color("gain:Q", scale=tint, legend=None),
            tooltip=tips("layers", "batch", "value"),
        )  # fmt: skip
        text = base.mark_text(fontSize=11, color=CELL_INK, dy=17).encode(  # below the marks of the boundaries
            alt.X("layers:Q"), alt.Y("batch:Q"), text=alt.Text("value:Q", format=".2f")
        )
        yield panel([cell, text, *lines], title, about, say, KEY)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: half_batch (-1: the cost in updates), layers, batch, value, gain (above 1 is better), the cell's edges."""
    values = xr.concat(
        [data.inflation.mean("seed").expand_dims(half_batch=[-1]), data.speedup.mean("seed")], "half_batch"
    )
    order = ["half_batch", "layers", "batch"]
    frame = values.rename("value").reset_coords(drop=True).to_dataframe(dim_order=order).reset_index()
    for name in ("layers", "batch"):
        half = np.sqrt(_factor(data[name].values))
        frame[f"{name}_from"], frame[f"{name}_to"] = frame[name] / half, frame[name] * half
    frame["gain"] = frame["value"].where(frame["half_batch"] >= 0, 1 / frame["value"])
    return chart_rows.keep(frame, np.isfinite(chart_rows.column(frame, "value")))


def boundaries(data: xr.Dataset) -> pd.DataFrame:
    """Rows: which, batch, layers: where the theorem begins to hold, and where stability is lost, at each batch.

    The onset grows with (T + 1)², so that with c of it at T = 0 and K updates without delay, T + 1 = sqrt(K / c); a
    rate η is stable up to T = π / (4 arcsin(η λ / 2)) − 1 / 2.
    """
    fresh = data.isel(layers=0, drop=True)
    beyond = np.sqrt(fresh.updates.median("seed") / fresh.onset) - 1
    stable = np.pi / (4 * np.arcsin(np.minimum(fresh.rate * fresh.stability_limit / 4, 1.0))) - 0.5
    parts = [
        pd.DataFrame(
            {"which": name, "batch": data.batch.values, "layers": 1 + np.maximum(delay.values, 0) / 2}
        )
        for name, delay in (("theorem", beyond), ("stability", stable))
    ]
    return pd.concat(parts, ignore_index=True)


def within(lines: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The points of the boundaries that lie on the map."""
    last = float(chart_rows.column(frame, "layers_to").max())
    return chart_rows.keep(lines, chart_rows.column(lines, "layers") <= last)


def table(data: xr.Dataset) -> pd.DataFrame:
    """Updates, rate, what the delay costs, and the speed-up on each kind of device, by layers and batch."""
    means = data[["updates", "inflation"]].mean("seed").merge(data[["rate"]])
    frame = means.reset_coords(drop=True).to_dataframe(["layers", "batch"]).reset_index()
    for half in data.half_batch.values:
        at = data.speedup.sel(half_batch=half, drop=True).mean("seed")
        frame[f"speedup_half_{half:g}"] = chart_rows.flat_values(at, frame, ("layers", "batch"))
    return chart_rows.short(frame)


def finding(data: xr.Dataset) -> str:
    """Where the delay costs most, how far the theorem reaches, and what each method gains at its best batch."""
    cost = data.inflation.mean("seed")
    worst = cost.isel(cost.argmax(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims
    bounded = data.guaranteed.mean("seed")
    deep = data.best_speedup.isel(layers=-1).mean("seed")
    gains = enumerated(f"{float(deep.sel(half_batch=half)):.2f}" for half in deep.half_batch.values)
    devices = enumerated(f"{half:g}" for half in deep.half_batch.values)
    return (
        f"The delay costs up to {float(worst):.3g} times the updates ({int(worst.layers)} layers, {int(worst.batch)} "
        f"samples in an update), and at most {float(bounded.max()):.3g} times where the theorem holds, which is in "
        f"{int(bounded.notnull().sum())} of {bounded.size} places. With the best batch of each method and "
        f"{int(deep.layers)} layers, continuous propagation reaches the target {gains} times as fast as the best "
        f"synchronous method, on devices that are at half speed with {devices} samples."
    )


def _named(half: float) -> tuple[str, str]:
    """The title of a panel, and what it shows, in words."""
    if half < 0:
        return "Updates over those without delay", "updates to the target over those without delay"
    device = f"half speed at {half:g} samples" if half else "batches gain nothing"
    return f"Speed-up, {device}", f"speed-up on a device of which {device}"


def _drawn(lines: pd.DataFrame) -> list[alt.Chart]:
    """Both boundaries, each a line with marks."""
    found = []
    for name, (_, dash, shape) in BOUNDARIES.items():
        part = chart_rows.small(chart_rows.keep(lines, lines["which"] == name))
        base = alt.Chart(part).encode(
            alt.X("layers:Q"),
            alt.Y("batch:Q"),
            order=alt.Order("batch:Q"),
            tooltip=tips("which", "layers", "batch"),
        )
        found += [
            base.mark_line(color=CELL_INK, strokeDash=list(dash), strokeWidth=2),
            base.mark_point(color=CELL_INK, shape=shape, filled=True, size=50),
        ]
    return found


def _factor(labels: np.ndarray) -> float:
    """From one label to the next."""
    return float(labels[-1] / labels[0]) ** (1 / max(len(labels) - 1, 1))


def _log(frame: pd.DataFrame, name: str) -> alt.Scale:
    """From the first cell's edge to the last one's."""
    ends = [
        float(chart_rows.column(frame, f"{name}_from").min()),
        float(chart_rows.column(frame, f"{name}_to").max()),
    ]
    return alt.Scale(type="log", base=2, nice=False, domain=ends)


FIGURE = Figure(
    title="Depth, delay and batch: what the delay costs, and which method is first",
    reads={"delay_map": ("inflation", "speedup", "onset", "rate", "updates")},
    how_to_read=(
        "Every cell is a depth and a batch on the same noisy quadratic, with each method's rate tuned there. "
        "The first panel counts updates: how many more continuous propagation needs than the synchronous "
        "method. The others count time on as many nodes as layers, against the best of a drained pipeline, "
        "model parallelism and data parallelism: on a device for which larger batches gain nothing, and on "
        "devices that are at half their speed with so many samples. Messages are free. The two lines are drawn "
        "from theory and from the synchronous method alone."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="guaranteed",
    across=2,
)
