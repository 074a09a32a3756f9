"""The table of a comparison: a row for each variant, sorted within groups, and what its means do not show."""

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd
import xarray as xr

from rebuttal.evidence import datasets
from rebuttal.evidence.result_files import Runs
from rebuttal.figures import chart_rows, many_methods, method_rates, method_times, method_trade_off
from rebuttal.figures.method_groups import group
from rebuttal.figures.theme import family, words
from rebuttal.site import html, method_links

HEAD = (
    "Method", "Test error [95 %]", "Seconds to the target", "Seconds per epoch", "Mean staleness", "Utilisation",
    "Learning rate",
)  # fmt: skip


def methods(data: Runs) -> list[str]:
    """The methods, each once, in the order of the results."""
    return list(dict.fromkeys(family(label) for label in many_methods.names(data.curves)))


def rows(data: Runs) -> pd.DataFrame:
    """A row for each variant, by group, best first: what the table shows, unrounded."""
    frame = method_trade_off.rows(data.curves, data.summaries)
    times = method_times.rows(data.curves, datasets.targets(data.tuning, curves=data.curves)).set_index(
        "method"
    )
    frame["seconds"] = [times["mean"].where(times["reached"]).get(label) for label in frame["method"]]
    here = many_methods.one_place(data.curves).sel(rate="tuned")
    busy = many_methods.one_place(data.summaries).utilisation.mean("seed")
    frame["utilisation"] = chart_rows.flat_values(busy, frame, ("method",))
    frame["learning_rate"] = chart_rows.flat_values(here.learning_rate, frame, ("method",))
    return frame


def html_of(data: Runs) -> str:
    """The table, with a heading for each group; methods lead to their pages."""
    frame, same = rows(data), many_methods.equals(many_methods.one_place(data.curves))
    edge = method_rates.outcome(data.tuning)["edge"]
    parts = []
    for key, part in many_methods.by_group(frame):
        cells = [_cells(row, same, edge) for row in part.to_dict("records")]
        marks = [{"data_method": str(label)} for label in part["method"]]
        parts.append((f"{group(key).name}: {group(key).definition}", cells, marks))
    return html.grouped_table(
        HEAD, parts, "Every variant, sorted by its test error within its group", "methods"
    )


def _cells(row: Mapping, same: Mapping[str, Sequence[str]], edge: Sequence[str]) -> tuple[str, ...]:
    label = str(row["method"])
    interval = "" if pd.isna(row["low"]) else f"[{_short(row['low'])}, {_short(row['high'])}]"
    rate = _short(row["learning_rate"]) + (" (edge)" if label in edge else "")
    lost = f", {row['diverged']:.0f} diverged" if row["diverged"] else ""
    return (
        method_links.link(label) + _same(label, same),
        f"{_short(row['mean'])} <small>{interval}{lost}</small>",
        "missed" if pd.isna(row["seconds"]) else _short(row["seconds"]),
        _short(row["seconds_per_epoch"]),
        _short(row["staleness"]),
        _short(row["utilisation"]),
        rate,
    )


def _short(value: float) -> str:
    """Three significant digits: seeds do not give more."""
    return html.number(float(f"{value:.3g}"))


def _same(label: str, same: Mapping[str, Sequence[str]]) -> str:
    """That another variant, named first in the results, computes the same values."""
    others = [other for other in same[label] if list(same).index(other) < list(same).index(label)]
    if not others:
        return ""
    return html.element("span", f"same values as {escape(words(others[0]))}", class_="soft same")


def set_apart(data: Runs) -> dict[str, str]:
    """Heading -> the variants that it applies to, as HTML; 'none' where it applies to none."""
    here = many_methods.one_place(data.curves)
    lost = method_rates.outcome(data.tuning)
    times = method_times.rows(data.curves, datasets.targets(data.tuning, curves=data.curves))
    found = {
        "diverged at every learning rate": many_methods.listed(lost["every"]),
        "diverged at the tuned rate, on some seed": many_methods.listed(_diverged(here)),
        "diverged at some learning rate": many_methods.listed(lost["some"]),
        "tuned to the edge of the grid": many_methods.listed(lost["edge"]),
        "missed the target on most seeds": many_methods.listed(list(times.loc[~times["reached"], "method"])),
        "test loss at the end no lower than at the start": many_methods.listed(_untrained(here)),
    }
    alike = "<br>".join(escape(many_methods.listed(labels)) for labels in classes(here)) or "none"
    return {name: escape(text) for name, text in found.items()} | {"the same values to the bit": alike}


def classes(curves: xr.Dataset) -> list[list[str]]:
    """The variants that compute the same values, class by class; those that are alone are left out."""
    found: dict[frozenset[str], list[str]] = {}
    for label, others in many_methods.equals(curves).items():
        if others:
            found.setdefault(frozenset([label, *others]), [label, *others])
    return list(found.values())


def _diverged(here: xr.Dataset) -> list[str]:
    some = here.sel(rate="tuned").diverged_at.notnull().any("seed")
    return [str(label) for label in here.method.values[some.values]]


def _untrained(here: xr.Dataset) -> list[str]:
    """The variants whose mean test loss at the end is no lower than at the start; diverged runs count so too."""
    loss = here.sel(rate="tuned").reset_coords().test_loss.mean("seed", skipna=False)
    learned = loss.isel(point=-1) < loss.isel(point=0)
    return [str(label) for label in here.method.values[~learned.values]]
