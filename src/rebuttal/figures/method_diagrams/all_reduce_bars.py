"""All-reduces: over the whole row of a node that waits for them, on a strip below the row where it goes on."""

import numpy as np

from rebuttal.figures.method_diagrams import svg
from rebuttal.figures.method_diagrams.frame import Frame
from rebuttal.figures.method_diagrams.style import COLLECTIVE, PITCH, ROW

LANES = 2
LANE = (PITCH - ROW - 4) / LANES
Span = tuple[int, float, float]


def collectives(frame: Frame) -> list[str]:
    """The all-reduces of a picture."""
    spans = _spans(frame)
    if not overlapping(frame):
        return [svg.box(*frame.box(*span), rx=0, fill=COLLECTIVE, opacity=0.85) for span in spans]
    boxes = []
    for node in frame.workers:
        ends = [0.0] * LANES
        for _, start_s, end_s in (span for span in spans if span[0] == node):
            lane = next((n for n, end in enumerate(ends) if end <= start_s + 1e-9), int(np.argmin(ends)))
            ends[lane] = end_s
            x, y, width, _ = frame.box(node, start_s, end_s)
            boxes.append((x, y + ROW + 1 + lane * LANE, width, LANE - 1))
    return [svg.boxes(boxes, fill=COLLECTIVE, stroke="#fff", stroke_width=0.6)]


def overlapping(frame: Frame) -> bool:
    """Whether any node computes while one of its all-reduces is under way."""
    c, names = frame.timeline.computes, frame.timeline.names
    wire = np.array([name.startswith("all_reduce") for name in names], dtype=bool)[c["operation"]]
    for node in frame.workers:
        rows = c["node"] == node
        starts = c["start_s"][rows & wire][:, None]
        ends = c["end_s"][rows & wire][:, None]
        work = rows & ~wire
        if ((starts < c["end_s"][work] - 1e-9) & (ends > c["start_s"][work] + 1e-9)).any():
            return True
    return False


def _spans(frame: Frame) -> list[Span]:
    """(node, start_s, end_s) of what the picture shows of them, in the order in which they begin."""
    c, names = frame.timeline.computes, frame.timeline.names
    rows = [
        row
        for row in np.flatnonzero(c["start_s"] < frame.until_s).tolist()
        if names[c["operation"][row]].startswith("all_reduce")
    ]
    return [(int(c["node"][row]), float(c["start_s"][row]), float(c["end_s"][row])) for row in rows]
