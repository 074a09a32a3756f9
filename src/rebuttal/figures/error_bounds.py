"""Measured errors against updates beside the bounds of theory; and updates against links, where nothing is convex."""

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence import arrays
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, dash, method_key, panel, plain_key
from rebuttal.figures.theme import DASHED, DOTTED, FAMILIES, SOFT, SOLID, Style, words

BOUNDS = {
    "upper bound": ("what theory allows the method of the same colour at most", DASHED),
    "lower bound": ("what no method that goes along gradients can beat on this function", DOTTED),
}
#: Whether the cases' function is smooth -> title.
KINDS = {
    False: "Non-smooth and convex: max of absolute values",
    True: "Smooth and convex: the hardest function",
}


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Error against updates on the non-smooth and on the smooth function; updates against the links of a chain."""
    frame = chart_rows.some(rows(data), "rates")
    lines = dict(zip(data.case.values.tolist(), data.case_about.values.tolist(), strict=True))
    found = []
    for smooth, title in KINDS.items():
        part = chart_rows.keep(frame, [name.startswith("smooth_") == smooth for name in frame["case"]])
        found.append(_errors(part, data, lines, title))
    return [*found, _links(data)]


def _errors(frame: pd.DataFrame, data: xr.Dataset, lines: dict[str, str], title: str) -> Panel:
    """Measured lines with bands, and bounds, of one kind of function."""
    key = _solid(plain_key({name: lines[name] for name in dict.fromkeys(frame["case"])}))
    m = marks(
        frame,
        axis(alt.X, "horizon", "updates, log scale", log=True, axis=alt.Axis(values=data.horizon.values.tolist())),
        axis(alt.Y, "mean", "error, log scale", log=True),
        key, "case", ("case", "horizon", "mean", "low", "high", "n"),
    )  # fmt: skip
    drawn = _bounds(data, list(dict.fromkeys(frame["case"])))
    bounds = tuple(
        Entry(name, name, about, Style(SOFT, pattern, "circle"))
        for name, (about, pattern) in BOUNDS.items() if name in set(drawn["bound"])
    )  # fmt: skip
    b = marks(
        drawn,
        m.x,
        alt.Y("mean:Q"),
        key,
        "case",
        ("case", "bound", "horizon", "mean"),
        [dash(bounds, "bound")],
    )
    rule = b.line(tip=True, dashed=False, strokeWidth=1.4)
    about = f"{chart_rows.seeds(frame)}; mean and 95 % interval; {chart_rows.clock(data)}"
    say = (
        f"{title}: measured error against updates for {', '.join(entry.name for entry in key)}, with bounds."
    )
    line = m.line(tip=True, dashed=False, point={"size": 30})
    return panel([m.band(), rule, line], title, about, say, (*key, *bounds))


def _solid(key: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Solid lines: dashes are the bounds'. A case that is a method has the method's colour."""
    colours = [FAMILIES.get(e.label, (e.style.colour,))[0] for e in key]
    return tuple(
        Entry(e.label, e.name, e.definition, Style(tint, SOLID, e.style.shape))
        for e, tint in zip(key, colours, strict=True)
    )


def _bounds(data: xr.Dataset, cases: list[str]) -> pd.DataFrame:
    """Rows: case, bound, horizon, mean (the bound's value), where there is a bound."""
    parts = []
    for name, variable in (("upper bound", "upper"), ("lower bound", "lower")):
        frame = data[variable].sel(case=cases).reset_coords(drop=True).to_series().reset_index(name="mean")
        parts.append(frame.assign(bound=name))
    joined = pd.concat(parts, ignore_index=True)
    return chart_rows.keep(joined, joined["mean"].notna())


def _links(data: xr.Dataset) -> Panel:
    """Updates until the gradient of the chain is small."""
    frame = data.flat_updates.to_series().reset_index(name="updates")
    fewest = pd.DataFrame({"links": data.links.values, "updates": data.links.values.astype(float)})
    names = [str(name) for name in data.first_order.values]
    said = "with the step 1/β: updates until the gradient is no longer than 1"
    key = method_key(names, {name: f"{words(name)} {said}" for name in names})
    least = Entry("fewest", "fewest", "one update for each link: no method of gradients needs fewer",
                  Style(SOFT, DOTTED, "circle"))  # fmt: skip
    ticks = alt.Axis(values=data.links.values.tolist())
    m = marks(
        frame,
        axis(alt.X, "links", "links of the chain, log scale", log=True, axis=ticks),
        axis(alt.Y, "updates", "updates until the gradient is small, log scale", log=True),
        key, "first_order", ("first_order", "links", "updates"),
    )  # fmt: skip
    rule = alt.Chart(fewest).mark_line(color=SOFT, strokeDash=list(DOTTED)).encode(m.x, m.y)
    title = "Smooth and not convex: a chain of links"
    say = f"{title}: updates until the gradient is small, against the links, with the fewest possible."
    layers = [rule, m.line(tip=True, point={"size": 30})]
    return panel(layers, title, f"no chance in it; {chart_rows.clock(data)}", say, (*key, least))


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: case, horizon, mean, low, high of the error over seeds, n."""
    return chart_rows.rows(data.error, ("case", "horizon"))


def table(data: xr.Dataset) -> pd.DataFrame:
    """Of each case: the power of T in the error, with its interval, the one of theory, and the error over its bound."""
    slopes = pd.DataFrame(arrays.bootstrap_rows(data.slope.values), columns=["power", "low", "high"])
    slopes.insert(0, "case", data.case.values)
    slopes["power_in_theory"] = data.order.values
    slopes["largest_of_upper_bound"] = _extreme(data.of_upper, np.fmax)
    slopes["smallest_of_lower_bound"] = _extreme(data.of_lower, np.fmin)
    return chart_rows.short(slopes)


def _extreme(values: xr.DataArray, of: np.ufunc) -> np.ndarray:
    """Over horizons and seeds; NaN where there is no bound."""
    return of.reduce(values.transpose("case", ...).values.reshape(values.sizes["case"], -1), axis=1)


def finding(data: xr.Dataset) -> str:
    """The measured powers of T and d beside those of theory."""
    frame = table(data)
    named = zip(frame["case"], frame["power"], frame["power_in_theory"], strict=True)
    parts = [f"{words(name)} {power:.2f} (theory: {theory:g})" for name, power, theory in named if theory]
    mean, low, high = arrays.bootstrap(data.exponent.values)
    above = int(np.sum(chart_rows.column(frame, "largest_of_upper_bound") > 1))
    return (
        f"Measured powers of the updates: {'; '.join(parts)}. The error of PPRS grows with the dimension to the power "
        f"{mean:.2f} [{low:.2f}, {high:.2f}] after {data.attrs['dimension_horizon']} updates (theory: 0.25). "
        f"{above} of the methods exceed their upper bound anywhere."
    )


FIGURE = Figure(
    title="Measured errors beside the bounds of theory",
    reads={"rates": ("error", "upper", "lower", "slope", "exponent", "flat_updates")},
    how_to_read=(
        "Each point is the error after a run whose step was chosen for so many updates, as theory has it; the "
        "slope of a line is the power of the updates in the error. A dashed line is what theory allows the "
        "method of its colour at most, a dotted one what no method of gradients can beat. In the last panel the "
        "dotted line is one update for each link."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="of_upper",
    across=3,
)
