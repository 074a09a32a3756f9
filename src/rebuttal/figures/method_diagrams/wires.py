"""What is on its way: messages as thin lines between rows, all-reduces over a row or on a strip below it."""

import numpy as np

from rebuttal.figures import gantt_chart
from rebuttal.figures.method_diagrams import bars, svg
from rebuttal.figures.method_diagrams.bars import Message
from rebuttal.figures.method_diagrams.frame import COLLECTIVE, PITCH, ROW, SOFT, Frame, stroke

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
    return gantt_chart.beside_work(c, wire, ~wire)


def _spans(frame: Frame) -> list[Span]:
    """(node, start_s, end_s) of what the picture shows of them, in the order in which they begin."""
    c, names = frame.timeline.computes, frame.timeline.names
    rows = [
        row
        for row in np.flatnonzero(c["start_s"] < frame.until_s).tolist()
        if names[c["operation"][row]].startswith("all_reduce")
    ]
    return [(int(c["node"][row]), float(c["start_s"][row]), float(c["end_s"][row])) for row in rows]


def mail(frame: Frame) -> list[str]:
    """A thin line for each message; those of one-sided reads and writes, which are many, in one path."""
    messages = bars.messages_of(frame.timeline, frame.until_s)
    one_sided: dict[str, list[str]] = {}
    for message in messages:
        if message.one_sided:
            (x1, y1), (x2, y2) = _ends(frame, message)
            colour = stroke(message.version) if message.is_gradient else SOFT
            one_sided.setdefault(colour, []).append(f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}")
    paths = [svg.tag("path", d="".join(d), stroke=c, stroke_width=0.7) for c, d in one_sided.items()]
    return [*paths, *[_message(frame, message) for message in messages if not message.one_sided]]


def _ends(frame: Frame, message: Message) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a message leaves the sender's row, and where it comes to the receiver's."""
    sent = frame.x(message.sent_s), _edge(frame, message.source, message.destination)
    return sent, (frame.x(message.arrived_s), _edge(frame, message.destination, message.source))


def _message(frame: Frame, message: Message) -> str:
    """A thin line from the sender's row to the receiver's; a cross where a gradient is dropped."""
    colour, width = (stroke(message.version), 1.3) if message.is_gradient else (SOFT, 0.8)
    (x1, y1), (x2, y2) = _ends(frame, message)
    dash = "3 2" if message.dropped else None
    path = svg.line(x1, y1, x2, y2, stroke=colour, stroke_width=width, stroke_dasharray=dash)
    return path + (_cross(x2, y2, colour) if message.dropped else "")


def _edge(frame: Frame, node: int, other: int) -> float:
    """The edge of a node's row that faces another row."""
    return frame.y(node) + (frame.height(node) if node < other else 0)


def _cross(x: float, y: float, colour: str) -> str:
    """Centred on a point."""
    path = f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7"
    return svg.tag("path", d=path, stroke=colour, stroke_width=1.8, fill="none")
