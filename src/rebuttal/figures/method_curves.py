"""The loss of every method against updates, epochs and seconds: all in grey, those that are asked for in colour."""

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence import datasets
from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods, sentences
from rebuttal.figures.error_curves import AXES, NAMES
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import CHOICE, Entry, Panel, axis, colour, dash, panel, tips
from rebuttal.figures.sentences import Compared
from rebuttal.figures.single_seeds import of_seeds, renamed, with_seeds
from rebuttal.figures.theme import words

SHOWN = 16  # points of a curve that are drawn
GREY = "#a8afb8"
BEST = "best"  # the choice that shows the best variant of each group
LIT = f"{CHOICE} == '{BEST}' ? datum.best : ({CHOICE} == datum.method || {CHOICE} == datum.group)"
ALONE = f"{CHOICE} == datum.method && datum.last"


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, group, point, mean of the test loss over seeds, update, epoch, seconds, best, last.

    At the tuned learning rate, on the first workload and machine. best: whether the variant has its group's best
    validation accuracy at the end (the test set is not asked). A curve ends where the first
    of its runs diverged: the mean of the others alone would flatter it.
    """
    chosen = many_methods.one_place(data).sel(rate="tuned")
    drawn = np.unique(np.linspace(0, chosen.sizes["point"] - 1, SHOWN).round().astype(int))
    chosen = chosen.isel(point=drawn)
    loss = chosen.reset_coords().test_loss
    frame = loss.mean("seed", skipna=False).rename("mean").reset_coords(drop=True).to_series().reset_index()
    for name in AXES:
        frame[name] = chart_rows.flat_values(chosen[name].mean("seed"), frame, ("method", "point"))
    frame = chart_rows.keep(frame, np.isfinite(chart_rows.column(frame, "mean")))
    frame = with_seeds(frame, "mean", loss, ("method", "point"))
    frame = with_seeds(frame, "seconds", chosen.seconds, ("method", "point"))
    frame["last"] = ~frame.duplicated("method", keep="last")
    frame = many_methods.with_groups(frame)
    frame["best"] = frame["method"].isin(list(best_of_groups(data).values()))
    return frame


def best_of_groups(data: xr.Dataset) -> dict[str, str]:
    """Group -> its variant with the best mean validation accuracy at the end."""
    chosen = many_methods.one_place(data).sel(rate="tuned")
    score = (
        datasets.final(chosen, "validation_metric").mean("seed").reset_coords(drop=True).to_series().dropna()
    )
    frame = many_methods.with_groups(score.rename("score").reset_index())
    return {
        key: str(part.loc[part["score"].idxmax(), "method"]) for key, part in many_methods.by_group(frame)
    }


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """Three panels: the same losses against updates, epochs and seconds, with one choice of what is in colour."""
    frame = chart_rows.some(rows(data), "method_curves")
    best = best_of_groups(data)
    entries = many_methods.group_entries(
        list(frame["group"]), "line", lambda key: f"; best on validation data: {words(best[key])}"
    )
    about = f"{data.sizes['seed']} seeds; mean; {chart_rows.clock(data)}"
    here = many_methods.where(many_methods.one_place(data))
    return [
        _one(frame, x, f"loss against {NAMES[x]}", here, about, entries)
        for x in ("update", "epoch", "seconds")
    ]


def choices(frame: pd.DataFrame) -> dict[str, str]:
    """What can be chosen -> its name in the list: the best of each group, a group, a variant."""
    found = {BEST: "the best of each group"}
    for key, part in many_methods.by_group(frame):
        found[key] = f"all {group(key).name}"
        found |= {label: f"· {words(label)}" for label in dict.fromkeys(part["method"])}
    return found


def _one(frame: pd.DataFrame, x: str, title: str, here: str, about: str, entries: tuple[Entry, ...]) -> Panel:
    log = x != "epoch"
    shown = pd.DataFrame(frame[["method", "group", x, "mean", "best", "last", *of_seeds(frame, "mean", x)]])
    shown = chart_rows.small(chart_rows.keep(shown, chart_rows.column(shown, x) > (0 if log else -1)))
    names = choices(frame)
    choice = alt.param(
        name=CHOICE,
        value=BEST,
        bind=alt.binding_select(options=list(names), labels=list(names.values()), name="In colour: "),
    )
    base = alt.Chart(shown)
    across = axis(alt.X, x, AXES[x], log=log)
    up = axis(alt.Y, "mean", "test loss (nat), log scale", log=True)
    every: Any = base.mark_line(strokeWidth=1, color=GREY, opacity=0.6).encode(across, up, detail="method:N")
    lit: Any = base.transform_filter(LIT).mark_line(strokeWidth=2.4).encode(
        across, up, colour(entries, "group"), dash(entries, "group"), detail="method:N"
    )  # fmt: skip
    named: Any = base.transform_filter(ALONE).transform_calculate(
        name=f"({json.dumps({label: words(label) for label in names})})[datum.method]"
    ).mark_text(align="right", dy=-9, fontSize=11, fontWeight=600).encode(
        across, up, colour(entries, "group"), text=alt.Text("name:N")
    )  # fmt: skip
    near: Any = base.mark_point(opacity=0, size=90).encode(
        across, up, tooltip=tips("method", f"{x}:Q", alt.Tooltip("mean:Q", title="test loss"))
    )
    say = (
        f"Test loss against {NAMES[x]} on {here} for {frame['method'].nunique()} variants; in colour, the best of "
        f"each group or what is chosen."
    )
    return panel([every.add_params(choice), lit, named, near], title, about, say, entries, height=300)


def finding(data: xr.Dataset, compared: Compared | None = None) -> str:
    """Whose loss is lower at the end and by how much; how far the seconds of the whole budget are apart."""
    frame = rows(data)
    last = chart_rows.keep(frame, frame["last"]).assign(low=np.nan, high=np.nan)
    first, second = sentences.two(last, compared)
    text = sentences.lower(
        first,
        second,
        "the test loss at the end",
        sentences.NATS,
        many_methods.where(many_methods.one_place(data)),
    )
    quick, slow = (sentences.extreme(last, "seconds", most=most) for most in (False, True))
    return (
        f"{text} As many samples take {sentences.three(quick['seconds'])} s with {in_text(str(quick['method']))}, the "
        f"quickest, and {sentences.three(slow['seconds'])} s with {in_text(str(slow['method']))}, the slowest."
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """The end of every curve."""
    frame = rows(data)
    last = renamed(chart_rows.keep(frame, frame["last"]), mean="test_loss", update="updates")
    last["group"] = [group(key).name for key in last["group"]]
    kept = ["group", "method", "test_loss", "updates", "epoch", "seconds", *of_seeds(last)]
    return chart_rows.short(pd.DataFrame(last[kept]), most=len(last))


FIGURE = Figure(
    title="Loss of every method against updates, epochs and seconds",
    reads={"curves": ("test_loss", "validation_metric", "update", "epoch", "seconds")},
    how_to_read=(
        "Every variant is a line. In grey they show the range; in colour is the best variant of each group, or "
        "what the list above the charts asks for: a group, or one method by name. The same runs can change "
        "places from one axis to the next. Point at a line for its name."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
)
