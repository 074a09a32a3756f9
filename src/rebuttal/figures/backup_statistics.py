"""Order statistics: how long an update takes with and without backups, and how many backups are best."""

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.panel import Entry, Panel, axis, colour, dash, panel, plain_key, shape, tips
from rebuttal.figures.theme import SHAPES, SOFT, VARIANT_DASHES, Style, words
from rebuttal.machines.order_statistics import progress_per_update, worth_dropping

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


def time_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: straggler, workers, backups, formula, simulated, low, high (95 % of the simulation's mean)."""
    chart_rows.need(data, "backups_order_statistics", NAMES)
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


def time_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Time of an update against the number of workers, a panel per straggler model: lines by formula, points drawn."""
    frame = time_rows(data)
    frame = chart_rows.some(chart_rows.keep(frame, frame["backups"].isin(DRAWN)), "backups_order_statistics")
    lines, key = describe(data), _backups_key(sorted(frame["backups"].unique().tolist()))
    count = int(data.attrs.get("iterations", 0))
    found = []
    for name, part in frame.groupby("straggler", sort=False):
        base = alt.Chart(chart_rows.small(part.assign(backups=part["backups"].astype(str))))
        x = axis(alt.X, "workers", "workers (N + b), log scale", log=True)
        tip = tips("workers", "backups", "formula", "simulated", "low", "high")
        line = base.mark_line().encode(x, axis(alt.Y, "formula", "update time (mean computes)", zero=True),
                                       colour(key, "backups"), dash(key, "backups"), tooltip=tip)  # fmt: skip
        point = base.mark_point(filled=True, opacity=1, size=42).encode(
            x, alt.Y("simulated:Q"), colour(key, "backups"), shape(key, "backups"), tooltip=tip)  # fmt: skip
        rule = base.mark_rule().encode(x, alt.Y("low:Q"), alt.Y2("high"), colour(key, "backups"))
        drawn = f"lines: formula; points: {count:,} simulated updates, 95 % interval"
        about = f"{lines[str(name)]}; {drawn}; modelled clock"
        say = f"Expected time of an update against the number of workers under {lines[str(name)]}, one line per b."
        found.append(panel([line, rule, point], words(str(name)), about, say, key, height=210))
    return found


def best_rows(data: xr.Dataset) -> pd.DataFrame:
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


def best_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Progress per second against the number of backups, a panel per number of workers, the best b ringed."""
    frame = chart_rows.some(best_rows(data), "best_backups")
    key, found = plain_key(describe(data)), []
    for workers, part in frame.groupby("workers", sort=True):
        base = alt.Chart(chart_rows.small(part))
        x = axis(alt.X, "backups", "backup workers b", zero=True)
        y = axis(alt.Y, "speed", "progress per second over b = 0, log scale", log=True)
        tip = tips("straggler", "backups", "speed", "simulated_speed", "best")
        line = base.mark_line().encode(x, y, colour(key, "straggler"), dash(key, "straggler"), tooltip=tip)
        ring = base.transform_filter("datum.best").mark_point(size=110, filled=False, opacity=1, strokeWidth=2).encode(
            x, y, colour(key, "straggler"), tooltip=tip)  # fmt: skip
        point = base.mark_point(filled=True, opacity=1, size=24).encode(
            x, alt.Y("simulated_speed:Q"), colour(key, "straggler"), tooltip=tip
        )
        one = alt.Chart(pd.DataFrame({"y": [1.0]})).mark_rule(color=SOFT, strokeDash=[2, 2]).encode(y="y:Q")
        about = "lines: order statistics; points: simulation; ring: best b on the grid; modelled clock"
        say = f"Progress per second relative to no backups against b, {workers} workers, one line per straggler model."
        found.append(panel([one, line, point, ring], f"{workers} workers in all", about, say, key))
    return found


def time_table(data: xr.Dataset) -> pd.DataFrame:
    """Times of an update by formula and by simulation at the largest number of workers."""
    frame = time_rows(data)
    workers = chart_rows.column(frame, "workers")
    return chart_rows.short(chart_rows.keep(frame, workers == workers.max()))


def best_table(data: xr.Dataset) -> pd.DataFrame:
    """The best number of backups, by formula and by simulation, and whether the marginal rule drops the last worker."""
    rows = [_best_row(part) for _, part in best_rows(data).groupby(["straggler", "workers"], sort=False)]
    return chart_rows.short(pd.DataFrame(rows))


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
