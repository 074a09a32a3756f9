"""Which rates the algorithm and its differential equation call stable, against the delay."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key

RATIOS = {
    "eigenvalue_ratio": "from the eigenvalues of the algorithm's recursion",
    "equation_ratio": "from the equation, with a delay of D ticks",
    "midpoint_ratio": "from the equation, with a delay of D ticks and a half",
}


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Largest stable rate over the formula's, against the delay."""
    frame, key = chart_rows.some(rows(data), "stable_rates"), plain_key(RATIOS)
    x, y = (
        axis(alt.X, "delay", "delay D (ticks)"),
        axis(alt.Y, "ratio", "largest stable rate over the formula's"),
    )
    m = marks(frame, x, y, key, "which", ("which", "delay", "ratio"))
    say = "Largest stable rate over the formula's against the delay, from eigenvalues and from the equation."
    layers = [m.line(tip=True), m.point()]
    return [panel(layers, "Largest stable rate", f"curvature 1; {chart_rows.clock(data)}", say, key)]


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: which, delay, ratio; without those that no rate makes unstable."""
    frame = (
        data[list(RATIOS)]
        .reset_coords(drop=True)
        .to_array("which")
        .rename("ratio")
        .to_dataframe(dim_order=["which", "delay"])
    )
    return chart_rows.keep(frame.reset_index(), frame["ratio"].notna())


def table(data: xr.Dataset) -> pd.DataFrame:
    """The rates at each delay."""
    names = ["formula_rate", "eigenvalue_rate", "equation_rate", "midpoint_rate"]
    return chart_rows.short(data[names].reset_coords(drop=True).to_dataframe().reset_index())


def finding(data: xr.Dataset) -> str:
    """By how much the equation overrates, at the shortest and at the longest delay."""
    ratio = data.equation_ratio.dropna("delay")
    half = float(data.midpoint_ratio.sel(delay=ratio.delay).max())
    first, last = ratio.isel(delay=0), ratio.isel(delay=-1)
    return (
        f"With a delay of {int(first.delay)} tick the equation allows {float(first):.3g} times the largest stable "
        f"rate, with {int(last.delay)} ticks {float(last):.3g} times; with half a tick more in its delay, at "
        f"most {half:.3g} times. Without any delay it calls every rate stable, and the algorithm none above "
        f"{float(data.formula_rate.sel(delay=0)):.3g} / λ."
    )


FIGURE = Figure(
    title="The largest stable rate, by the algorithm and by its equation",
    reads={"continuous_time": ("formula_rate", "eigenvalue_ratio", "equation_ratio", "midpoint_ratio")},
    how_to_read=(
        "At one both agree. Above it the equation calls rates stable at which the algorithm diverges. The "
        "formula is that of a quadratic whose gradients are all D ticks late."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
