"""What the theorem of Lian et al. promises about delays, beside what was measured."""

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Entry, Panel, axis, panel, plain_key
from rebuttal.figures.theme import DASHED, SOFT, Style

PROMISE = Entry("promise", "the promise", "right of the vertical line and below the level one: what the theorem says",
                Style(SOFT, DASHED, "circle"))  # fmt: skip


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Cost of the delay against how far beyond the onset a run is, and the bound used up, by layers."""
    about = f"{data.sizes['seed']} seeds, mean; noisy quadratics; {chart_rows.clock(data)}"
    costs, shares = (
        chart_rows.some(cost_rows(data), "delay_costs"),
        chart_rows.some(share_rows(data), "delay_costs"),
    )
    lines = {
        str(layers): f"layers, a delay of up to {2 * (layers - 1)} updates" for layers in data.layers.values
    }
    key = plain_key(lines, "point")
    cost = marks(
        costs,
        axis(alt.X, "beyond", "updates without delay over the theorem's onset, log scale", log=True),
        axis(alt.Y, "inflation", "updates over those without delay, log scale", log=True),
        key, "layers", ("layers", "batch", "beyond", "inflation"),
    ).point(size=64, opacity=1)  # fmt: skip
    share = marks(
        shares,
        axis(alt.X, "bound_updates", "updates, log scale", log=True),
        axis(alt.Y, "share", "mean squared gradient over its bound", zero=True, domain=[0, 1.05]),
        key, "layers", ("layers", "batch", "bound_updates", "share"),
    ).point(size=44, opacity=1)  # fmt: skip
    promised = [
        line_at(x=1.0, look=PROMISE),
        line_at(y=float(data.attrs["guaranteed_inflation"]), look=PROMISE),
    ]
    return [
        panel([*promised, cost], "Cost of the delay, in updates", about,
              "Updates over those without delay, against the updates without delay over the onset.", (*key, PROMISE)),
        panel([line_at(y=1.0, look=PROMISE), share], "How much of the bound is used up", about,
              "The measured mean squared gradient over its bound, against updates, by layers.", (*key, PROMISE)),
    ]  # fmt: skip


def cost_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: layers, batch, beyond (updates without delay over the onset), inflation, of more than one layer."""
    beyond = data.updates.isel(layers=0, drop=True).median("seed") / data.onset
    both = xr.Dataset({"beyond": beyond, "inflation": data.inflation.mean("seed")}).reset_coords(drop=True)
    frame = both.to_dataframe(["layers", "batch"]).reset_index()
    frame = chart_rows.keep(frame, np.isfinite(chart_rows.column(frame, "inflation")) & (frame["layers"] > 1))
    return frame.assign(layers=frame["layers"].astype(str))


def share_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: layers, batch, bound_updates, share, where the theorem holds."""
    share = data.bound_share.mean("seed").rename("share").reset_coords(drop=True)
    frame = share.to_dataframe(dim_order=["layers", "batch", "bound_updates"]).reset_index()
    frame = chart_rows.keep(frame, np.isfinite(chart_rows.column(frame, "share")))
    return frame.assign(layers=frame["layers"].astype(str))


def table(data: xr.Dataset) -> pd.DataFrame:
    """Rows of the first panel, with the largest share of the bound that each place used up."""
    frame = cost_rows(data)
    most = share_rows(data).pivot_table("share", ["layers", "batch"], aggfunc="max").reset_index()
    named = most.rename(columns={"share": "largest_share"})
    return chart_rows.short(frame.merge(named, on=["layers", "batch"], how="left"))


def finding(data: xr.Dataset) -> str:
    """The largest cost on both sides of the onset, and the largest share of the bound."""
    frame, promise = cost_rows(data), float(data.attrs["guaranteed_inflation"])
    there = chart_rows.column(frame, "beyond") >= 1
    sides = [
        float(np.max(chart_rows.column(frame, "inflation")[chosen]))
        for chosen in (there, ~there)
        if bool(chosen.any())
    ]
    words = f"Beyond the onset the delay costs at most {sides[0]:.3g} times the updates, where the theorem allows "
    before = f", and up to {sides[1]:.3g} times before it" if len(sides) > 1 else ""
    share = float(np.max(chart_rows.column(share_rows(data), "share")))
    return f"{words}{promise:.3g}{before}. The mean squared gradient stays below {share:.3g} of its bound."


FIGURE = Figure(
    title="What the theorem promises about delays",
    reads={"delay_map": ("updates", "onset", "inflation", "bound_share")},
    how_to_read=(
        "Every point of the first panel is a cell of the map. To the right of the vertical line the synchronous "
        "method makes more updates than the theorem's onset, and the theorem says that the delay costs no more "
        "than the level line; to its left it says nothing. The second panel uses the theorem's own rate, and "
        "shows how much of its bound was needed."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=2,
)
