"""Order statistics: how long an update takes with and without backups, and how many backups are best."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, panel
from rebuttal.figures.theme import SHAPES, VARIANT_DASHES, Style, words

RAMP = (
    "#8f99a3",
    "#2f9e8a",
    "#1f77b4",
    "#7d58b0",
    "#c2466b",
    "#d1541b",
    "#8a5a1c",
    "#5f7d1f",
    "#c98a00",
    "#4a5568",
)
DRAWN = (
    0,
    1,
    2,
    4,
    8,
    16,
    32,
    64,
)  # numbers of backups with a line of their own; the best ones are searched on all
NAMES = ["iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr"]


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: straggler, workers, backups, formula, simulated, low, high (95 % of the simulation's mean)."""
    frame = data[NAMES].to_dataframe().reset_index().dropna(subset=[NAMES[1]])
    frame = frame.rename(columns=dict(zip(NAMES, ("formula", "simulated", "stderr"), strict=True)))
    frame["low"] = frame["simulated"] - 1.96 * frame["stderr"]
    frame["high"] = frame["simulated"] + 1.96 * frame["stderr"]
    names = ["straggler", "workers", "backups", "formula", "simulated", "low", "high"]
    return pd.DataFrame(frame.replace([np.inf], np.nan)[names])


def describe(data: xr.Dataset) -> dict[str, str]:
    """Straggler -> its one-line description, from the dataset."""
    if "description" not in data.variables:
        return {str(name): words(str(name)) for name in data.straggler.values}
    return {
        str(name): str(line)
        for name, line in zip(data.straggler.values, data.description.values, strict=True)
    }


def _backups_key(values: list[int]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            str(b), f"b = {b}", _waits(b),
            Style(RAMP[i % len(RAMP)], VARIANT_DASHES[i % 4], SHAPES[i % len(SHAPES)]),
        )
        for i, b in enumerate(values)
    )  # fmt: skip


def _waits(backups: int) -> str:
    """What an update with that many backups waits for."""
    late = "worker" if backups == 1 else f"{backups} workers"
    return f"does not wait for the last {late}" if backups else "waits for all workers"


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Time of an update against the number of workers, a panel per straggler model: lines by formula, points drawn."""
    frame = rows(data)
    frame = chart_rows.some(chart_rows.keep(frame, frame["backups"].isin(DRAWN)), "backups_order_statistics")
    lines, key = describe(data), _backups_key(sorted(frame["backups"].unique().tolist()))
    count = int(data.attrs.get("iterations", 0))
    for name, part in frame.groupby("straggler", sort=False):
        m = marks(
            part.assign(backups=part["backups"].astype(str)),
            axis(alt.X, "workers", "workers (N + b), log scale", log=True),
            axis(alt.Y, "formula", "update time (mean computes)", zero=True),
            key, "backups", ("workers", "backups", "formula", "simulated", "low", "high"),
        )  # fmt: skip
        point = m.against(y=alt.Y("simulated:Q")).point(opacity=1, size=42)
        drawn = f"lines: formula; points: {count:,} simulated updates, 95 % interval"
        about = f"{lines[str(name)]}; {drawn}; modelled clock"
        say = f"Expected time of an update against the number of workers under {lines[str(name)]}, one line per b."
        yield panel([m.line(tip=True), m.interval(), point], words(str(name)), about, say, key, height=210)


def finding(data: xr.Dataset) -> str:
    """With the most workers: what waiting for all of them costs, and what it saves not to wait for the last one."""
    frame = rows(data)
    workers = int(chart_rows.column(frame, "workers").max())
    frame = chart_rows.keep(frame, frame["workers"] == workers)
    formula, simulated = (chart_rows.column(frame, name) for name in ("formula", "simulated"))
    off = sentences.three(100 * float(np.nanmax(np.abs(simulated / formula - 1))))
    seconds = {(row["straggler"], row["backups"]): row["simulated"] for row in sentences.records(frame)}
    fewest = min(b for _, b in seconds if b > 0)
    waits = {name: time for (name, b), time in seconds.items() if b == 0}
    saved = {name: 100 * (1 - seconds[name, fewest] / time) for name, time in waits.items()}
    rising = sorted(saved, key=lambda one: saved[one])
    ends = [f"{sentences.three(saved[name])} % ({plain(data, name)})" for name in rising]
    last = "one" if fewest == 1 else str(fewest)
    return (
        f"With {workers} workers an update that does not wait for the last {last} is shorter by {ends[0]} to "
        f"{ends[-1]}. One that waits for all takes {sentences.spread([*waits.values()])} mean computes; formula and "
        f"simulation are {off} % apart at most."
    )


def plain(data: xr.Dataset, straggler: str) -> str:
    """A straggler model's description within a sentence."""
    return describe(data)[straggler].replace(" = ", " ")


def table(data: xr.Dataset) -> pd.DataFrame:
    """Times of an update by formula and by simulation at the largest number of workers."""
    frame = rows(data)
    workers = chart_rows.column(frame, "workers")
    return chart_rows.short(chart_rows.keep(frame, workers == workers.max()))


FIGURE = Figure(
    title="Time of an update against the number of workers",
    reads={
        "stragglers": (
            "iteration_seconds_closed_form",
            "iteration_seconds_simulated",
            "iteration_seconds_stderr",
        )
    },
    how_to_read=(
        "An update waits for the first N of N + b gradients. Lines are the expectation by formula, points the "
        "mean of simulated updates, with its interval, for every doubling of b. Where a line runs off, the "
        "expectation is infinite."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="iteration_seconds_simulated",
)
