"""Adversarial perturbations: the loss that is left against the budget that is used, for few and for more images."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence import student
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, method_key, panel
from rebuttal.figures.theme import words

CLOCKS = {"pipeline": "a node for each layer", "one node": "one node for all layers"}
DEFINITIONS = {
    "gpipe": "gradient descent through a pipeline that is filled and drained for every update",
    "nesterov": "the accelerated gradient through the same pipeline",
    "pprs": "the accelerated gradient of the smoothed loss, the best of several widths",
}


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """A panel for each number of images on each clock, with a band for each method."""
    frame = chart_rows.some(rows(data), "adversarial")
    key = method_key([str(name) for name in data.method.values], DEFINITIONS)
    for clock, samples, part in chart_rows.groups(frame, "clock", "samples"):
        images = f"{samples} image{'s' * (samples != '1')}"
        m = marks(
            part.drop(columns=["clock", "samples"]),
            axis(alt.X, "share", "share of the budget of passes", zero=True),
            axis(alt.Y, "mean", "least loss so far (share of the first), log scale", log=True),
            key, tip=("method", "share", "mean", "low", "high", "n"),
        )  # fmt: skip
        about = f"{CLOCKS[clock]}; {chart_rows.seeds(part)}; mean and 95 % interval; {chart_rows.clock(data)}"
        say = f"Loss left against the passes spent on one perturbation of {images}, with {CLOCKS[clock]}."
        yield panel([m.band(), m.line(tip=True)], f"One perturbation of {images}, {clock}", about, say, key)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: clock, samples, method, share, mean, low, high of the loss that is left, n."""
    frame = chart_rows.rows(data.left, ("clock", "samples", "method", "share"))
    return frame.assign(samples=frame["samples"].astype(str))


def table(data: xr.Dataset) -> pd.DataFrame:
    """At the end of the budget: loss left, share of images fooled, length of the perturbation, tuned rate and width."""
    ends = data.isel(share=-1, drop=True).reset_coords(drop=True)
    names = ["left", "fooled", "length"]
    frame = ends[names].mean("seed").merge(ends[["rate", "width", "at_edge"]])
    order = ["clock", "samples", "method"]
    return chart_rows.short(frame.to_dataframe(dim_order=order).reset_index())


def finding(data: xr.Dataset) -> str:
    """What PPRS leaves beside the other two where it should gain most, and what the attack comes to."""
    here = {"clock": "pipeline", "samples": int(data.samples.values[0])}
    parts = []
    for name, variable in (("gpipe", "over_gradient"), ("nesterov", "over_accelerated")):
        found = student.interval(data[variable].sel(here).values)
        parts.append(f"{words(name)} by {found.estimate:.3g} [{found.low:.3g}, {found.high:.3g}]")
    ends = data.isel(share=-1).sel(here).mean("seed")
    fooled = ", ".join(
        f"{words(str(m))} {float(ends.fooled.sel({'method': m})):.0%}" for m in data.method.values
    )
    return (
        f"On one image, where smoothing should gain most, PPRS leaves a share of the loss that differs from that of "
        f"{' and from that of '.join(parts)} (less is better). Images that are taken for the wanted class: {fooled}. "
        f"Unperturbed, the network gets {data.attrs['network_accuracy']:.0%} of the test images right."
    )


FIGURE = Figure(
    title="Adversarial perturbations of few images",
    reads={"adversarial": ("left", "fooled", "rate", "width")},
    how_to_read=(
        "Lower is better: the loss of the perturbation, as a share of the loss without any, against the passes "
        "spent. A perturbation is sought for one image, or one for several images at once. First row: each "
        "layer has a node of its own, where further samples of the smoothing fill the pipeline. Second row: one "
        "node computes all, where every sample of the smoothing costs as much as a gradient. Each method has "
        "its own step, tuned on other images; PPRS has its width tuned too, and so several times as many "
        "trials."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="over_accelerated",
    across=3,
)
