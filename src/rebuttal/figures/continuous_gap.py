"""The algorithm beside its differential equation: how far apart they are, by the size of a step."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.theme import words

PAIRS = {
    "distance": "the algorithm with delays from the delay differential equation",
    "distance_flow": "the algorithm with delays from gradient flow, which has none",
    "distance_plain": "gradient descent without delays from gradient flow",
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Distance against step, a panel for each problem at its deepest."""
    clock, deepest = chart_rows.clock(data), int(data.layers.values[-1])
    frame, key = chart_rows.some(rows(data), "continuous_time"), plain_key(PAIRS)
    for problem, part in frame.groupby("problem", sort=False):
        name = words(str(problem))
        m = marks(
            part.drop(columns="problem"),
            axis(alt.X, "step", "step η λ, log scale", log=True),
            axis(alt.Y, "far", "largest distance over the way, log scale", log=True),
            key, "pair", ("pair", "step", "far"),
        )  # fmt: skip
        say = f"Largest distance between two trajectories against the step, for three pairs, on the {name}."
        about = f"{deepest} layers; no noise; {clock}"
        yield panel([m.line(tip=True), m.point()], f"Distance, {name}", about, say, key)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: problem, pair, step, far, at the largest number of layers."""
    last = data[list(PAIRS)].isel(layers=-1).reset_coords(drop=True)
    return (
        last.to_array("pair").rename("far").to_dataframe(dim_order=["problem", "pair", "step"]).reset_index()
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """The order of each problem and depth, with the distances at the smallest step."""
    last = data[list(PAIRS)].isel(step=-1).merge(data[["order"]]).reset_coords(drop=True)
    return chart_rows.short(last.to_dataframe(["problem", "layers"]).reset_index())


def finding(data: xr.Dataset) -> str:
    """How the distance falls with the step, and what the delays in the equation are worth."""
    low, high = float(data.order.min()), float(data.order.max())
    last = data.isel(step=-1)
    own = last.distance / last.distance_plain
    return (
        f"Halving the step about halves the distance (the slopes of the logarithms are {low:.3g} to {high:.3g}). At "
        f"the smallest step the algorithm is {float(own.min()):.3g} to {float(own.max()):.3g} times as far from its "
        f"equation as gradient descent is from gradient flow; from an equation without delays it is up to "
        f"{float((last.distance_flow / last.distance).max()):.3g} times as far as from its own."
    )


FIGURE = Figure(
    title="Discrete against continuous time",
    reads={"continuous_time": ("distance", "distance_flow", "distance_plain", "order")},
    how_to_read=(
        "Two trajectories from the same start are compared at every tick, and the largest distance is drawn "
        "against the step. Where a pair is as far apart as gradient descent and gradient flow are, its equation "
        "leaves out no more than the one without delays does."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="formula_rate",
    across=2,
)
