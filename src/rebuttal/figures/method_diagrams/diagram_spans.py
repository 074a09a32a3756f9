"""What a picture shows, as data for a page that answers to a pointer: every operation with its node, layer, version."""

import json
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from rebuttal.figures.method_diagrams import svg
from rebuttal.figures.method_diagrams.frame import LEFT, PITCH, ROW, Frame
from rebuttal.figures.method_diagrams.wires import overlapping
from rebuttal.simulation.timeline_metrics import gantt
from rebuttal.simulation.timeline_metrics.joined_passes import COMPUTING

ID = "spans"  # of the element that holds them


def metadata(frame: Frame) -> str:
    """The data of a picture as an element of its file: JSON that `site/template/timeline.js` reads.

    `rows` has name, y and height of each node's row; `updates` the times at which versions 1, 2, ... were made; a span
    is [node, kind, start in ms, end in ms, layer from 1 (0: all), version read (-1: none), staleness (-1: none),
    1 if it was dropped, else 0]. A moment t in ms is at x = `left` + t * `scale`. y of `wire` is that of all-reduces
    which are drawn beside other work, below the row.
    """
    scale = (frame.x(frame.until_s) - LEFT) / (1e3 * frame.until_s)
    spans = list(_spans(frame))
    kinds = list(dict.fromkeys(kind for _, kind, *_ in spans))
    nodes = sorted({node for node, *_ in spans})
    content = {
        "left": LEFT,
        "scale": round(scale, 6),
        "rows": {node: [_name(frame, node), round(frame.y(node), 1), frame.height(node)] for node in nodes},
        "wire": [ROW, PITCH - ROW] if overlapping(frame) else None,
        "kinds": kinds,
        "updates": [_ms(at) for at in frame.timeline.updates["time_s"].tolist()[1:] if at <= frame.until_s],
        "spans": [[node, kinds.index(kind), *rest] for node, kind, *rest in spans],
    }
    return svg.tag("metadata", escape(json.dumps(content, separators=(",", ":"))), id=ID)


def _spans(frame: Frame) -> Iterable[tuple[Any, ...]]:
    """(node, kind, start, end, layer, version, staleness, dropped) of the operations shown, as they begin."""
    line = frame.timeline
    table = gantt(line, frame.until_s)
    shown = np.flatnonzero(line.computes["start_s"] < frame.until_s).tolist()
    rows = zip(*(table[name] for name in ("node", "kind", "start_s", "end_s", "version", "staleness", "dropped")),
               strict=True)  # fmt: skip
    found = [
        (int(node), kind, _ms(start), _ms(end), _layer(frame, row), int(version),
         -1 if np.isnan(stale) or not _may_be_stale(kind) else int(stale), int(bool(dropped)))
        for row, (node, kind, start, end, version, stale, dropped) in zip(shown, rows, strict=False)
    ]  # fmt: skip
    return sorted(found, key=lambda span: (span[2], span[0]))


def _may_be_stale(kind: str) -> bool:
    """Whether an operation makes a gradient, which can be stale."""
    return kind in ("gradient", "backward", "weight-gradient")


def _layer(frame: Frame, row: int) -> int:
    """The layer, or the stage, that an operation works on, from 1; 0 for all at once."""
    line, value = frame.timeline, int(frame.timeline.computes["value"][row])
    name = line.names[line.computes["operation"][row]]
    if name.startswith("all_reduce gradient "):
        return int(name.rsplit(maxsplit=1)[-1]) + 1
    if name not in COMPUTING or name == "gradient" or value < 0:
        return 0
    return int(line.graph.arguments[value][0]) + 1


def _name(frame: Frame, node: int) -> str:
    """What the row of a node is called."""
    return "server" if node < frame.servers else frame.name(node)


def _ms(seconds: float) -> int:
    return round(1e3 * seconds)
