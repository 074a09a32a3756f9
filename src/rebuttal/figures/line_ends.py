"""The names of a few lines at their right ends, where a reader looks for them, as far as they keep clear of each other.

They are one more layer of a specification, so every figure of lines has them from the same place. A line without a
name there is told by the key.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.figures.theme import Entry, is_muted

MOST = 6  # lines that are named
CLEAR = 13  # pixels between two names
END = 0.93  # of the axis, from which on a point is at its end: before, other lines would cross a name
LONGEST = 28  # letters of a name that has room beside a chart
LETTER, GAP = 5.6, 8  # pixels: of a letter, and between a line and its name
TEXT = {"type": "text", "align": "left", "dx": GAP, "fontSize": 11}
DATA = "line-ends"
Row = Mapping[str, Any]


def with_names(spec: Mapping[str, Any], key: Sequence[Entry]) -> dict[str, Any]:
    """The specification with a layer of names, and room for them at its right side; as it is without few lines."""
    layer = next((one for one in spec["layer"] if _draws_lines(one)), None)
    known = {entry.label: entry for entry in key}
    if layer is None or not 1 < len(known) <= MOST:
        return dict(spec)
    ends = _ends(layer, _rows(spec, layer), known)
    if not ends:
        return dict(spec)
    channels = {name: layer["encoding"][name] for name in ("x", "y", "color")}
    channels["text"] = {"field": "name", "type": "nominal"}
    names = {"data": {"name": DATA}, "mark": TEXT, "encoding": channels}
    room = GAP + LETTER * max(len(one["name"]) for one in ends) + 4
    return {
        **spec,
        "layer": [*spec["layer"], names],
        "datasets": {**spec["datasets"], DATA: ends},
        "padding": {"left": 5, "top": 5, "bottom": 5, "right": round(room)},
    }


def _draws_lines(layer: Mapping[str, Any]) -> bool:
    """Whether a layer has a line for each entry of a key, between two axes of numbers, of all of its rows."""
    mark, encoding = layer["mark"], layer["encoding"]
    kind = mark["type"] if isinstance(mark, dict) else mark
    numbers = all(encoding.get(name, {}).get("type") == "quantitative" for name in ("x", "y"))
    return kind == "line" and numbers and "field" in encoding.get("color", {}) and "transform" not in layer


def _rows(spec: Mapping[str, Any], layer: Mapping[str, Any]) -> list[Row]:
    name = layer.get("data", spec.get("data", {})).get("name", "")
    return spec["datasets"].get(name, [])


def _ends(layer: Mapping[str, Any], rows: Sequence[Row], known: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """The last point of each line that can be named: those that stand out choose first, then the highest."""
    x, y, by = (layer["encoding"][channel]["field"] for channel in ("x", "y", "color"))
    drawn = [row for row in rows if None not in (row.get(x), row.get(y)) and row.get(by) in known]
    far = _along(layer, "x", [row[x] for row in drawn])
    last = {row[by]: row for row in sorted(drawn, key=lambda row: row[x]) if far(row[x]) >= END}
    height = _along(layer, "y", [row[y] for row in drawn], 200)
    wanted = sorted(last, key=lambda label: (is_muted(known[label].style), -height(last[label][y])))
    taken: list[float] = []
    found = []
    for label in wanted:
        place, name = height(last[label][y]), known[label].name
        if len(name) <= LONGEST and all(abs(place - other) >= CLEAR for other in taken):
            taken.append(place)
            found.append({by: label, x: last[label][x], y: last[label][y], "name": name})
    return found


def _along(layer: Mapping[str, Any], channel: str, values: Sequence[float], length: float = 1) -> Any:
    """From a value to its place on the axis of a channel, by the axis's scale: from 0 to `length`."""
    log = layer["encoding"][channel].get("scale", {}).get("type") == "log" and min(values, default=0) > 0
    change = math.log if log else float
    low, high = (change(end(values)) for end in (min, max)) if values else (0.0, 1.0)
    return lambda value: length * (change(value) - low) / ((high - low) or 1.0)
