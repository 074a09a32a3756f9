"""The mechanism in seconds: an update on the virtual clock, with models at full size, and on real processes."""

from dataclasses import replace

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Entry, Panel, axis, panel, plain_key
from rebuttal.figures.theme import DASHED, FAMILIES, SOFT, Style, words

FORMULA = Entry("formula", "formula", "2 (K + Δ − 1) passes: as many as one fill of the pipeline takes",
                Style(SOFT, DASHED, "circle"))  # fmt: skip


def panels(modelled: xr.Dataset, real: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Passes against depth; what messages add at full size; how many stages compute at a time on real processes."""
    return [_clock(modelled), _messages(modelled), _real(real)]


def _clock(data: xr.Dataset) -> Panel:
    frame = data[["clock_units", "formula_units"]].to_dataframe().reset_index()
    frame["samples"] = [f"K={number}" for number in frame.pop("clock_samples")]
    key = plain_key(dict.fromkeys(dict.fromkeys(frame["samples"]), "smoothing samples of an update"), "point")
    m = marks(
        frame,
        axis(alt.X, "clock_depth", "stages", zero=True),
        axis(alt.Y, "clock_units", "seconds of an update, passes of a second", zero=True),
        key, "samples", ("samples", "clock_depth", "clock_units"),
    )  # fmt: skip
    line = m.rows.mark_line(color=SOFT, strokeDash=list(DASHED)).encode(
        m.x, alt.Y("formula_units:Q"), detail="samples:N"
    )
    title = "An update of PPRS against depth, free messages"
    say = f"{title}: the virtual clock and the formula, by smoothing samples."
    return panel([line, m.point(size=60, opacity=1)], title, chart_rows.clock(data), say, (*key, FORMULA))


def _messages(data: xr.Dataset) -> Panel:
    frame = data.of_units.to_series().reset_index(name="of_units")
    frame["step_model"] = [words(str(name)) for name in frame["step_model"]]
    key = plain_key(dict.fromkeys(dict.fromkeys(frame["machine"]), "this machine, with its links"), "point")
    m = marks(
        frame,
        axis(alt.X, "of_units", "PPRS over GPipe, over what the passes alone say"),
        alt.Y("step_model:N", title=None, sort=None),
        key, "machine", ("step_model", "machine", "of_units"),
    )  # fmt: skip
    attrs = data.attrs
    about = (
        f"{attrs['stages']} stages; {attrs['micro_batches']} micro-batches of {attrs['batch']} samples; "
        f"{attrs['smoothing_samples']} smoothing samples; {chart_rows.clock(data)}"
    )
    title = "What messages add at full size"
    return panel(
        [line_at(x=1.0), m.point(size=60, opacity=1)],
        title,
        about,
        "How much longer updates take than passes say, by model and machine.",
        key,
    )


def _as_method(entry: Entry) -> Entry:
    """A run's entry in its method's colour; its name is in words already."""
    tint = FAMILIES.get(entry.label.partition(",")[0], (entry.style.colour,))[0]
    return replace(entry, name=entry.label, style=replace(entry.style, colour=tint))


def _real(data: xr.Dataset) -> Panel:
    frame = data[["stages_at_once", "update_s", "share_agreed"]].to_dataframe().reset_index()
    line = "on real processes, every version computed again to the bit"
    key = plain_key({str(name): line for name in data.run.values}, "point")
    key = tuple(_as_method(entry) for entry in key)
    m = marks(
        frame,
        axis(alt.X, "stages_at_once", "stages that compute at a time, mean", zero=True),
        alt.Y("run:N", title=None, sort=None),
        key, "run", ("run", "stages_at_once", "update_s", "share_agreed"),
    )  # fmt: skip
    about = f"{data.attrs['stages']} processes; {data.attrs['updates']} updates; one run each; {chart_rows.clock(data)}"
    title = f"Real processes: {words(data.attrs['workload'])}"
    return panel(
        [m.point(size=90, opacity=1)],
        title,
        about,
        "How many stages compute at a time on real processes, by run.",
        key,
    )


def table(modelled: xr.Dataset, real: xr.Dataset) -> pd.DataFrame:
    """The recorded runs."""
    return chart_rows.short(real.to_dataframe().reset_index())


def finding(modelled: xr.Dataset, real: xr.Dataset) -> str:
    """The recorded checksums, and what messages add."""
    count, agreed = real.checksums.sum(), (real.share_agreed * real.checksums).sum()
    least, most = float(modelled.of_units.min()), float(modelled.of_units.max())
    return (
        f"Of {int(count)} checksums of weights on real processes {int(agreed)} were found again. At full size an "
        f"update of PPRS over one of GPipe takes from {least:.3g} to {most:.3g} times what passes alone say."
    )


FIGURE = Figure(
    title="The mechanism in seconds",
    reads={
        "smoothing_map": ("clock_units", "formula_units", "of_units"),
        "recorded": ("stages_at_once", "update_s", "share_agreed"),
    },
    how_to_read=(
        "First, the clock against the formula. Then, models at full size on links: right of the dashed line an "
        "update takes longer than its passes. Last, real processes of this host, whose passes are so short that "
        "sending takes longer than computing: the order is proved there, not the speed."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=3,
)
