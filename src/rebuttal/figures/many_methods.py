"""What charts of many methods share: one place, groups, short names, the baselines' lines."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows
from rebuttal.figures.method_groups import GROUPS, group, group_of
from rebuttal.figures.panel import Entry
from rebuttal.figures.theme import BASELINE, FAMILIES, VARIANT_DASHES, Style, family, words

LONG = 26  # letters of a name on one line


def one_place(data: xr.Dataset) -> xr.Dataset:
    """The dataset on its first workload and machine; of curves, only the methods that were run there."""
    here = chart_rows.pick(chart_rows.pick(data, "workload"), "machine")
    if "learning_rate" not in here.data_vars:
        return here
    ran = here.learning_rate.notnull()
    return here.isel(method=np.flatnonzero(ran.any([dim for dim in ran.dims if dim != "method"])))


def where(data: xr.Dataset) -> str:
    """'handwritten digits, deep MLP on 10 Gb/s Ethernet' of a dataset at one place."""
    return " on ".join(
        words(str(data[name].item())) for name in ("workload", "machine") if name in data.coords
    )


def names(data: xr.Dataset) -> list[str]:
    """The labels of a dataset's methods."""
    return [str(label) for label in data.method.values]


def with_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the column `group` from its column `method`, sorted by group, the order within kept."""
    found = frame.assign(group=[group_of(family(label)) for label in frame["method"]])
    order = {key: place for place, key in enumerate([*GROUPS, "other"])}
    return found.sort_values("group", key=lambda keys: keys.map(order), kind="stable", ignore_index=True)


def by_group(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(group, its rows) of a frame with a column `group`, in the order of the groups."""
    for key in [*GROUPS, "other"]:
        part = chart_rows.keep(frame, chart_rows.column(frame, "group") == key)
        if len(part):
            yield key, part


def group_entries(
    keys: Sequence[str], mark: str = "point", note: Callable[[str], str] = lambda _: ""
) -> tuple[Entry, ...]:
    """The key of groups; `note(group)` is added to the definition."""
    found = [(key, group(key)) for key in dict.fromkeys(keys)]
    return tuple(
        Entry(key, one.name, one.definition + note(key), Style(one.colour, one.dash, one.shape), mark)
        for key, one in found
    )


def baseline_entries(labels: Sequence[str], definition: str) -> tuple[Entry, ...]:
    """The key of the baseline's variants, which every panel of a figure repeats as lines."""
    variants = sorted(label for label in labels if family(label) == BASELINE)
    looks = [VARIANT_DASHES[(place + 1) % len(VARIANT_DASHES)] for place in range(len(variants))]
    return tuple(
        Entry(label, words(label), definition, Style(FAMILIES[BASELINE][0], look, "circle"), "line")
        for label, look in zip(variants, looks, strict=True)
    )


def short_names(labels: Sequence[str]) -> dict[str, list[str]]:
    """Label -> one line or two: the method, and below it the options that set the variant apart from its siblings.

    The end of a long name goes to the second line.

    'continuous_propagation form=stash mitigation=spike' -> ['continuous propagation', 'stash, spike'].
    """
    found = {}
    for label in labels:
        name, *options = label.split()
        siblings = [one.split()[1:] for one in labels if family(one) == name]
        shared = set.intersection(*map(set, siblings)) if len(siblings) > 1 else set()
        own = [_said(option) for option in options if option not in shared]
        first, tail = words(name), []
        if len(first) > LONG:
            cut = " with " if " with " in first else " "
            first, _, last = first.rpartition(cut)
            tail = [f"{cut}{last}".strip()]
        found[label] = [first, *filter(None, [", ".join([*tail, *own])])]
    return found


def _said(option: str) -> str:
    """'k=1' -> 'k = 1'; 'lazy=false' -> 'not lazy'; 'form=stash' -> 'stash'."""
    name, _, value = option.partition("=")
    name = name.replace("_", " ")
    if value in ("true", "false"):
        return name if value == "true" else f"not {name}"
    return value if value.isalpha() else f"{name} = {value.removesuffix('.0')}"


def extent(frame: pd.DataFrame) -> tuple[float, float]:
    """From the least to the largest of the columns mean, low and high; a single seed has no interval."""
    ends = np.stack([chart_rows.column(frame, name) for name in ("mean", "low", "high")])
    return float(np.nanmin(ends)), float(np.nanmax(ends))


def listed(labels: Sequence[str]) -> str:
    """Labels in words, one after the other; 'none' where there is none."""
    return "; ".join(map(in_text, labels)) or "none"


def equals(curves: xr.Dataset) -> dict[str, list[str]]:
    """Label -> the other labels whose test losses are the same to the bit, at both rates, on all seeds and points.

    Such methods compute the same values and differ by the clock only.
    """
    losses = curves.reset_coords().test_loss.transpose("method", ...).values
    held = {
        label: np.ascontiguousarray(values).tobytes()
        for label, values in zip(names(curves), losses, strict=True)
    }
    return {
        label: [other for other, its in held.items() if its == mine and other != label]
        for label, mine in held.items()
    }
