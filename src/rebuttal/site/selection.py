"""What a reader selects for a whole page: methods, one seed, a target. Every chart and table that has it follows.

A chart follows by parameters of its specification, which `template/selection.js` sets; without them it draws what it
always did. Methods that are not chosen fade, so that axes and places stay. A seed puts its own values in the place of
means and closes their intervals. A target chooses among the rows that a figure has for several.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rebuttal.figures.panel import CHOICE, STANDARD, Panel
from rebuttal.figures.single_seeds import OF_SEED

METHODS, SEED, TARGET = "pick_methods", "pick_seed", "pick_target"
NONE = {METHODS: [], SEED: -1, TARGET: 0}  # a seed is its place among the chart's seeds; no target is 0
CHOSEN = f"indexof({METHODS}, datum.method) >= 0"
AT_TARGET = f"{TARGET} ? datum.multiple == {TARGET} : {STANDARD}"
LINES = ("line", "area")  # marks of many rows: a target is no property of one of them
OPACITY = {"area": 0.7}  # of Vega-Lite's marks where a chart says nothing; 1 for all others
FAINT = 0.15  # times the opacity, of what is not chosen
BOUNDS = {"mean": ("low", "high"), "seconds": ("fastest", "slowest")}  # of a value with single seeds
SEPARATOR = "|"  # between values of an attribute
NAMES = ("methods", "seeds", "targets")


@dataclass(frozen=True)
class Dims:
    """What can be selected of a chart: labels of methods, seeds, multiples of the sweep of targets."""

    methods: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def attributes(self) -> dict[str, str]:
        """As attributes of an element, for the script and for the page's form."""
        pairs = {"methods": self.methods, "seeds": self.seeds, "targets": self.targets}
        return {f"data_{name}": SEPARATOR.join(values) for name, values in pairs.items() if values}


def of(one: Panel, spec: dict[str, Any]) -> tuple[dict[str, Any], Dims]:
    """The specification with the parameters of the selection (changed in place), and what can be selected of it."""
    sets = {name: rows for name, rows in spec["datasets"].items() if rows}
    dims = _dims(one, sets.values())
    if dims == Dims():
        return spec, dims
    shared = spec.pop("data", None)
    for layer in spec["layer"]:
        name = layer.setdefault("data", shared)["name"]
        if name in sets:
            _follow(layer, sets[name][0])
    folded = {name: [_folded(row) for row in rows] for name, rows in sets.items()}
    spec["datasets"] = spec["datasets"] | folded
    values = [{"name": name, "value": value} for name, value in NONE.items()]
    spec["params"] = [*spec.get("params", []), *values]
    return spec, dims


def dims_of(one: Panel) -> Dims:
    """What can be selected of a panel."""
    return _dims(one, [rows for rows in one.spec["datasets"].values() if rows])


def _dims(one: Panel, sets: Iterable[Sequence[Mapping[str, Any]]]) -> Dims:
    """The methods, seeds and targets of the rows that are drawn; lines of a baseline (column at) are no choice."""
    methods = dict.fromkeys([one.method] if one.method else [])
    seeds, targets = dict[str, None](), dict[str, None]()
    for rows in sets:
        seeds |= dict.fromkeys(name.split(OF_SEED)[1] for name in rows[0] if OF_SEED in name)
        for row in rows:
            if "method" in row and "at" not in row:
                methods[row["method"]] = None
            if row.get("multiple") is not None:
                targets[f"{row['multiple']:g}"] = None
    return Dims(tuple(methods), tuple(seeds), tuple(sorted(targets, key=float)))


def _follow(layer: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Let a layer follow the selection, by the columns that its rows have."""
    single = [one for name in owned_columns(row) for one in _seed(name, row)]
    transforms = [*single, *map(_filter, layer.get("transform", []))]
    if transforms:
        layer["transform"] = transforms
    if "method" in row and "at" not in row:
        _fade(layer, "multiple" in row and "standard" not in row)


def owned_columns(row: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns with single seeds, each with its columns of seeds."""
    found: dict[str, list[str]] = {}
    for name in row:
        if OF_SEED in name:
            found.setdefault(name.split(OF_SEED)[0], []).append(name)
    return {name: owned for name, owned in found.items() if name in row}


def _folded(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the values of all seeds in one list, and what stands for all of them under a name of its own."""
    owned = owned_columns(row)
    bounds = {bound for name in owned for bound in BOUNDS.get(name, ())}
    folded = {f"{name}{OF_SEED}": [row[one] for one in columns] for name, columns in owned.items()}
    kept = {
        f"{name}{OF_SEED}all" if name in owned or name in bounds else name: value
        for name, value in row.items()
        if OF_SEED not in name
    }
    return kept | folded


def _seed(name: str, row: Mapping[str, Any]) -> list[dict[str, str]]:
    """The transforms that give a column, and its bounds, the value of all seeds or of the chosen one."""
    single = f"datum['{name}{OF_SEED}'][{SEED}]"
    return [
        {"calculate": f"{SEED} < 0 ? datum['{one}{OF_SEED}all'] : {single}", "as": one}
        for one in (name, *BOUNDS.get(name, ()))
        if one in row
    ]


def _filter(transform: dict[str, Any]) -> dict[str, Any]:
    """A chart's own filter, by what is selected: of targets, and of what stands in colour."""
    test = transform.get("filter")
    if test == STANDARD:
        return {"filter": AT_TARGET}
    if isinstance(test, str) and f"{CHOICE} ==" in test:
        last = " && datum.last" if "datum.last" in test else ""
        return {"filter": f"length({METHODS}) ? {CHOSEN}{last} : ({test})"}
    return transform


def _fade(layer: dict[str, Any], at_targets: bool) -> None:
    """Let the marks of what is not chosen fade."""
    mark = layer["mark"] if isinstance(layer["mark"], dict) else {"type": layer["mark"]}
    opacity = mark.get("opacity", OPACITY.get(mark["type"], 1))
    if not opacity or "opacity" in layer["encoding"]:
        return
    test = f"(!length({METHODS}) || {CHOSEN})"
    if at_targets and mark["type"] not in LINES:
        test += f" && (!{TARGET} || datum.multiple == {TARGET})"
    shown = {"condition": {"test": test, "value": opacity}, "value": round(FAINT * opacity, 3)}
    layer["encoding"]["opacity"] = shown
