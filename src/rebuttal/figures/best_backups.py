"""How many backups are best: progress per second against their number, from order statistics."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.backup_statistics import describe, plain
from rebuttal.figures.backup_statistics import rows as time_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.sentences import Row
from rebuttal.machines.order_statistics import progress_per_update, worth_dropping


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: straggler, workers, backups, speed and simulated_speed (progress per second relative to b = 0), best."""
    frame = time_rows(data)
    frame["time"] = frame["formula"].fillna(frame["simulated"])
    progress = [progress_per_update(w - b) for w, b in zip(frame["workers"], frame["backups"], strict=True)]
    for name, seconds in (("speed", frame["time"]), ("simulated_speed", frame["simulated"])):
        frame[name] = np.array(progress) / seconds
        group = frame.groupby(["straggler", "workers"], sort=False)[name]
        frame[name] /= group.transform("first")
    frame["best"] = frame["speed"] >= frame.groupby(["straggler", "workers"])["speed"].transform("max")
    names = ["straggler", "workers", "backups", "time", "speed", "simulated_speed", "best"]
    return pd.DataFrame(frame[names])


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Progress per second against the number of backups, a panel per number of workers, the best b ringed."""
    frame = chart_rows.some(rows(data), "best_backups")
    key = plain_key(describe(data))
    for workers, part in frame.groupby("workers", sort=True):
        m = marks(
            part,
            axis(alt.X, "backups", "backup workers b", zero=True),
            axis(alt.Y, "speed", "progress per second over b = 0, log scale", log=True),
            key, "straggler", ("straggler", "backups", "speed", "simulated_speed", "best"),
        )  # fmt: skip
        ring = m.where("datum.best").point(shaped=False, size=110, filled=False, opacity=1, strokeWidth=2)
        point = m.against(y=alt.Y("simulated_speed:Q")).point(shaped=False, opacity=1, size=24)
        about = "lines: order statistics; points: simulation; ring: best b on the grid; modelled clock"
        say = f"Progress per second relative to no backups against b, {workers} workers, one line per straggler model."
        yield panel(
            [line_at(y=1.0), m.line(tip=True), point, ring], f"{workers} workers in all", about, say, key
        )


def finding(data: xr.Dataset) -> str:
    """For the most workers: under how many straggler models backups pay, how many are best, and what they gain."""
    frame = rows(data)
    workers = int(chart_rows.column(frame, "workers").max())
    some = chart_rows.keep(frame, frame["workers"] == workers)
    best: list[Row] = [_best_row(part) for _, part in some.groupby("straggler", sort=False)]
    paying = sorted((row for row in best if row["best_b"] > 0), key=lambda row: row["speed_at_best"])
    said = (
        f"With {workers} workers in all, backups pay under {len(paying)} of {len(best)} models of stragglers"
    )
    if not paying:
        return f"{said}."
    least, most = (
        f"{sentences.three(row['speed_at_best'])} times{fast} ({sentences.counted(row['best_b'], 'backup')}; "
        f"{plain(data, row['straggler'])})"
        for row, fast in ((paying[0], " as fast as none"), (paying[-1], ""))
    )
    off = max(abs(row["best_b"] - row["best_b_simulated"]) for row in best)
    apart = f"differ by at most {sentences.counted(off, 'worker')}" if off else "agree"
    said += f": the best number of them makes progress {least} to {most}"
    return f"{said}. Formula and simulation {apart} on the best number."


def table(data: xr.Dataset) -> pd.DataFrame:
    """The best number of backups, by formula and by simulation, and whether the marginal rule drops the last worker."""
    found = [_best_row(part) for _, part in rows(data).groupby(["straggler", "workers"], sort=False)]
    return chart_rows.short(pd.DataFrame(found))


def _best_row(part: pd.DataFrame) -> dict[str, object]:
    """The best number of backups for one straggler model and number of workers."""
    backups, speed, simulated = (
        chart_rows.column(part, name) for name in ("backups", "speed", "simulated_speed")
    )
    return {
        "straggler": chart_rows.column(part, "straggler")[0],
        "workers": int(chart_rows.column(part, "workers")[0]),
        "best_b": int(backups[np.nanargmax(speed)]),
        "best_b_simulated": int(backups[np.nanargmax(simulated)]),
        "speed_at_best": float(np.nanmax(speed)),
        "marginal_rule_drops_last": _drops(part),
    }


def _drops(part: pd.DataFrame) -> str:
    """The marginal rule at b = 0, where the grid has b = 0 and b = 1; else 'not on the grid'."""
    backups, times = chart_rows.column(part, "backups").tolist(), chart_rows.column(part, "time").tolist()
    time = dict(zip(backups, times, strict=True))
    if 0 not in time or 1 not in time:
        return "not on the grid"
    workers = int(chart_rows.column(part, "workers")[0])
    return "yes" if worth_dropping(workers, time[0], time[0] - time[1]) else "no"


FIGURE = Figure(
    title="Progress per second against the number of backups",
    reads={"stragglers": ("iteration_seconds_closed_form", "iteration_seconds_simulated")},
    how_to_read=(
        "A backup saves the wait for the slowest and gives up its gradient. Above the dashed line the exchange "
        "pays; the ring marks the best number of backups on the grid. The flatter the curve, the less the "
        "choice matters."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
