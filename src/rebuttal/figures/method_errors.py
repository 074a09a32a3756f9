"""What every method reaches with the same budget: test error, sorted within groups, beside the baseline's."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence import datasets
from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods, sentences
from rebuttal.figures.error_curves import FLOOR
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.many_dots import dots
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Panel
from rebuttal.figures.sentences import SHARE, Compared
from rebuttal.figures.single_seeds import of_seeds, renamed, seed_rows
from rebuttal.figures.theme import words

AXIS = ["test error at the end", "log scale"]
LINE = "its mean, as a line in every group"


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, group, mean, low, high of the test error at the end, n, diverged; sorted within groups.

    At the tuned learning rate, on the first workload and machine. A diverged run counts as the untrained model.
    """
    chosen = many_methods.one_place(data).sel(rate="tuned")
    frame = seed_rows(1 - datasets.final(chosen), ("method",))
    frame["diverged"] = chart_rows.flat_values(chosen.diverged_at.notnull().sum("seed"), frame, ("method",))
    drawn = ["mean", "low", "high", *of_seeds(frame)]
    frame[drawn] = frame[drawn].clip(lower=FLOOR)
    return many_methods.with_groups(frame.sort_values("mean", kind="stable"))


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """A panel for each group, all with the same axis: a dot and its interval for each variant."""
    frame = chart_rows.some(rows(data), "method_errors")
    lines = many_methods.baseline_entries(list(frame["method"]), LINE)
    at = frame.set_index("method")["mean"].to_dict()
    domain = many_methods.extent(frame)
    counted = "a diverged run counts as untrained"
    about = f"{chart_rows.seeds(frame)}; mean and 95 % interval; {counted}; {chart_rows.clock(data)}"
    here = many_methods.where(many_methods.one_place(data))
    for key, part in many_methods.by_group(frame):
        best = words(str(part["method"].iloc[0]))
        say = f"Test error at the end on {here}, methods {group(key).name}, {len(part)} variants; lowest: {best}."
        rules = [(entry, pd.DataFrame({"at": [at[entry.label]]})) for entry in lines]
        lost = part["diverged"] > 0
        notes = part[lost].assign(note=[f"{count:.0f} diverged" for count in part["diverged"][lost]])
        yield dots(part, key, (AXIS, domain), about, say, rules, notes, share=True)


def finding(data: xr.Dataset, compared: Compared | None = None) -> str:
    """Whose error is lower and by how much; the lowest of all; how many variants lie apart from the baseline's."""
    frame = rows(data)
    chosen = many_methods.one_place(data)
    best = sentences.extreme(frame)
    sure = bool(np.isfinite(best["low"]))
    what = f"the test error after {sentences.three(float(chosen.epoch.isel(point=-1).min()))} epochs"
    first, second = sentences.two(frame, compared)
    text = sentences.lower(first, second, what, SHARE, many_methods.where(chosen))
    if best["method"] != first["method"]:
        text += f" The lowest of all is {sentences.value(best, SHARE)}, with {in_text(str(best['method']))}."
    same = many_methods.equals(chosen)
    for entry in many_methods.baseline_entries(list(frame["method"]), LINE):
        base = frame[frame["method"] == entry.label].iloc[0]
        below, above = int((frame["high"] < base["low"]).sum()), int((frame["low"] > base["high"]).sum())
        apart = f"; {below} with the whole interval below its own, {above} above it" if sure else ""
        text += (
            f" Of the other {len(frame) - 1} variants against {in_text(entry.label)}: {len(same[entry.label])} with "
            f"the same values to the bit{apart}."
        )
    return text


def table(data: xr.Dataset) -> pd.DataFrame:
    """Every variant, sorted within groups."""
    frame = renamed(rows(data), mean="test_error")
    frame["group"] = [group(key).name for key in frame["group"]]
    first = ["group", "method", "test_error", "low", "high", "n", "diverged", *of_seeds(frame)]
    return chart_rows.short(pd.DataFrame(frame[first]), most=len(frame))


FIGURE = Figure(
    title="What every method reaches with the same number of samples",
    reads={"curves": ("test_metric", "learning_rate", "diverged_at")},
    how_to_read=(
        "Further left is better; all groups share the axis. The lines through a group are the baseline on one "
        "node, at each of its batch sizes. A method that averages several batches makes fewer updates of the "
        "same samples: compare it with the line of the larger batch, and a method that updates on every batch "
        "with the other."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
    stacked=True,
)
