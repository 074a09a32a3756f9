"""How far the weights of each form are from those of mini-batch SGD: rounding, or another algorithm."""

from collections.abc import Iterable, Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks, named
from rebuttal.figures.panel import Panel, axis, colour, panel, plain_key
from rebuttal.figures.theme import family, words

LINES = {
    "float32": "computed in single precision; its dashed line is half of the digits that this precision has",
    "float64": "computed in double precision; its dashed line is half of the digits that this precision has",
}
FLOOR = 1e-17  # equality to the bit has no logarithm; it is drawn here
TITLE = ["largest difference over", "the way travelled, log scale"]
ROW, FRAME = 28, 60


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: workload, form, dtype, mean, low, high of the relative difference, n; least and most of the seeds.

    After the last update that was looked at.
    """
    last = data.relative_difference.isel(update=-1).reset_coords(drop=True)
    order = ("workload", "form", "dtype")
    frame = chart_rows.rows(last, order)
    for name, values in (("least", last.min("seed")), ("most", last.max("seed"))):
        frame[name] = chart_rows.flat_values(values, frame, order)
    return frame


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """A panel per workload, all with the same axis: a row per form, a mark per precision."""
    frame = chart_rows.some(rows(data), "equivalence")
    numbers = ["mean", "low", "high", "least", "most"]
    frame[numbers] = frame[numbers].clip(lower=FLOOR)
    key = plain_key({name: LINES[name] for name in data["dtype"].values.tolist()}, "point")
    bounds = pd.DataFrame({"dtype": data["dtype"].values, "bound": data.bound.values})
    forms = many_methods.short_names([str(form) for form in data.form.values])
    updates = int(data["update"].values[-1])
    about = f"{chart_rows.seeds(frame)}; mean and range; after {updates} updates; {chart_rows.clock(data)}"
    domain = (FLOOR, max(1.0, float(chart_rows.column(frame, "most").max())))
    for workload, part in frame.groupby("workload", sort=False):
        x = axis(alt.X, "mean", TITLE, log=True, domain=domain, axis=alt.Axis(format=".0e", tickCount=4))
        here = {label: name if len(alike(label, forms)) > 1 else name[:1] for label, name in forms.items()
                if label in set(part["form"])}  # fmt: skip
        names = alt.Axis(labelExpr=named(here), labelLimit=150, labelOverlap=False)
        y = alt.Y("form:N", title=None, sort=list(here), axis=names)
        m = marks(
            part.drop(columns="workload"), x, y, key, "dtype", ("form", "dtype", "mean", "least", "most", "n")
        )
        line = (
            alt.Chart(bounds)
            .mark_rule(strokeDash=[3, 3])
            .encode(alt.X("bound:Q"), color=colour(key, "dtype"))
        )
        say = f"Largest difference of weights from mini-batch SGD on {words(str(workload))}, for {len(here)} forms."
        yield panel(
            [line, m.span("least", "most", tip=False), m.point(opacity=1, size=60)],
            words(str(workload)),
            about,
            say,
            key,
            height=FRAME + ROW * len(here),
        )


def alike(label: str, labels: Iterable[str]) -> list[str]:
    """The labels of the same method: only where there are several do options tell them apart."""
    return [other for other in labels if family(other) == family(label)]


def finding(data: xr.Dataset) -> str:
    """How many forms stay within half of the digits, and how far the others are."""
    last = data.relative_difference.isel(update=-1).reset_coords(drop=True)
    largest = last.max(["workload", "seed"])
    same = (largest <= data.bound.reset_coords(drop=True)).all("dtype")
    text = f"{int(same.sum())} of {same.size} forms keep within half of the digits of both precisions."
    if same.any():
        most = [
            f"{float(largest[same].sel(dtype=name).max()):.2g} in {name}" for name in data["dtype"].values
        ]
        text += f" Their largest difference is {' and '.join(most)}, over the way travelled."
    if not same.all():
        others = "; ".join(in_text(str(form)) for form in last.form.values[~same.values])
        text += f" That of the others is at least {float(last[~same].min()):.2g}: {others}."
    return text


def table(data: xr.Dataset) -> pd.DataFrame:
    """Every form on every workload in every precision."""
    frame = rows(data).rename(columns={"mean": "difference"})
    return chart_rows.short(frame.drop(columns=["low", "high"]))


FIGURE = Figure(
    title="Weights of each form against those of mini-batch SGD",
    reads={"equivalence": ("relative_difference", "bound")},
    how_to_read=(
        "Further left is closer. A form that computes what mini-batch SGD computes differs by rounding only, "
        "far left of the dashed line of its precision, and by fewer digits in single than in double precision. "
        "A form that computes something else stands far right of it, at the same place in both precisions."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="largest_difference",
    across=2,
)
