"""Where PPRS beats GPipe: heat maps over depth and samples, and where practice lies."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence import arrays
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import EVEN, GAIN, LOSS, heat
from rebuttal.figures.panel import Panel, area_key, panel
from rebuttal.figures.theme import words

#: (smoothness, dimension, accuracy) of the panels: from the best for PPRS to what practice has.
PLACES = (("kinks", 100, 1000), ("kinks", 10_000, 1000), ("kinks", 1_000_000, 1000), ("kinks", 1_000_000, 100),
          ("curvature 10000", 10_000, 1000))  # fmt: skip
KEY = area_key({
    "GPipe faster": ("GPipe faster", "the number is GPipe's time over that of PPRS, mean over seeds", LOSS),
    "equal": ("equal", "no difference", EVEN),
    "PPRS faster": ("PPRS faster", "than GPipe with the better of gradient and accelerated steps", GAIN),
})  # fmt: skip


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """GPipe's time over that of PPRS by depth and samples, a panel for each place; then the models at full size."""
    clock = chart_rows.clock(data)
    found = []
    for smoothness, dimension, accuracy in PLACES:
        some = data.over_best.sel(smoothness=smoothness, dimension=dimension, accuracy=accuracy)
        title = f"{smoothness}, {dimension:,} dimensions, accuracy 1/{accuracy}"
        say = f"GPipe's time over that of PPRS by depth and samples: {title}."
        found.append(_cells(some, "depth", "stages", title, clock, say))
    last = int(data.accuracy.values[-1])
    title = f"models at full size, accuracy 1/{last}"
    say = f"GPipe's time over that of PPRS by model and samples: {title}."
    found.append(_cells(data.practical.sel(accuracy=last), "model", "model", title, clock, say))
    return found


def _cells(gain: xr.DataArray, dim: str, name: str, title: str, clock: str, say: str) -> Panel:
    """A heat map of the mean over seeds: `dim` across, samples up."""
    frame = gain.mean("seed").reset_coords(drop=True).to_series().reset_index(name="gain")
    if dim == "model":
        frame[dim] = [words(str(one)) for one in frame[dim]]
    angle = -40 if dim == "model" else 0
    cells = heat(
        frame,
        alt.X(f"{dim}:O", title=name, sort=None, axis=alt.Axis(labelAngle=angle)),
        alt.Y("samples:O", title="micro-batches of an update", sort="descending"),
        ("gain", alt.Scale(type="log", domain=[0.2, 1.0, 5.0], range=[LOSS, EVEN, GAIN], clamp=True)),
        ".2~g", (dim, "samples", "gain"),
    )  # fmt: skip
    about = f"{gain.sizes['seed']} seeds of measured constants; times in passes of a stage; {clock}"
    return panel(cells, title, about, say, KEY)


def table(data: xr.Dataset) -> pd.DataFrame:
    """In what share of each kind of place PPRS is faster, with the interval over the constants' seeds."""
    found = pd.DataFrame(arrays.bootstrap_rows(data.share.values), columns=["share", "low", "high"])
    found.insert(0, "place", data.place.values)
    return chart_rows.short(found)


def finding(data: xr.Dataset) -> str:
    """The shares, and the best place of the map."""
    frame = table(data)
    shares = "; ".join(f"{row['place']}: {100 * row['share']:.3g} %" for _, row in frame.iterrows())
    gain = data.over_best.mean("seed")
    at = gain.isel(gain.argmax(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims
    return (
        f"PPRS is faster in these shares of places: {shares}. The most that it gains is {float(at):.3g} times, at "
        f"{int(at.depth)} stages, {int(at.samples)} micro-batches for an update and {int(at.dimension):,} dimensions."
    )


FIGURE = Figure(
    title="Where PPRS beats GPipe",
    reads={"smoothing_map": ("over_best", "practical", "share", "constant")},
    how_to_read=(
        "Every cell is a depth and a number of micro-batches, its number GPipe's time over that of PPRS. "
        "Measured are the constants of the rates, on functions whose best value is known; modelled is the rest: "
        "how many updates an accuracy takes, and how long an update is in a pipeline with free messages. "
        "Downwards GPipe's pipeline empties, rightwards it deepens; from panel to panel dimensions grow, "
        "accuracy falls, kinks are smoothed."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="over_best",
    across=2,
)
