"""Passes through stages: boxes in the colour of the weights that were read, with the number of the batch or layer."""

from rebuttal.figures.method_diagrams import svg
from rebuttal.figures.method_diagrams.bars import StagePass
from rebuttal.figures.method_diagrams.frame import INK, ROW, Frame, fill, stroke

LETTER = 6.4  # width of a digit, in the size of these numbers
#: How strong the colour of each pass is: a forward pass is light, the gradient of the weights alone is dark.
STRENGTH = {"forward": 0.4, "backward": 1.0, "input_gradient": 1.0, "weight_gradient": 0.5}


def passes(frame: Frame) -> list[str]:
    """All passes: one path for those that look alike, the numbers row by row."""
    alike: dict[tuple[str, int], list[StagePass]] = {}
    for one in frame.passes:
        alike.setdefault((one.kind, one.version), []).append(one)
    parts = [
        svg.boxes([frame.box(p.node, p.start_s, p.end_s) for p in some], **look(kind, version))
        for (kind, version), some in alike.items()
    ]
    return parts + _numbers(frame)


def look(kind: str, version: int) -> dict[str, object]:
    """Fill and edge of a pass."""
    colour = stroke(version) if kind == "weight_gradient" else fill(version)
    return {"fill": colour, "fill_opacity": STRENGTH[kind], "stroke": stroke(version)}


def numbers_are(frame: Frame) -> str:
    """What the numbers in the boxes count: the layer where a node has several, else the batch."""
    if not frame.is_pipeline:
        return "layer"
    return "micro-batch" if len({one.shard for one in frame.passes}) > 1 else "batch"


def _number(frame: Frame, one: StagePass) -> str:
    what = numbers_are(frame)
    return str({"layer": one.l, "micro-batch": one.shard, "batch": one.step}[what] + 1)


def _numbers(frame: Frame) -> list[str]:
    """The numbers, where there is room: those of one digit together, the others one by one."""
    parts = []
    for node in frame.workers:
        y, short = frame.y(node) + ROW / 2 + 4, []
        for one in frame.passes:
            number, (x, _, width, _) = _number(frame, one), frame.box(one.node, one.start_s, one.end_s)
            if one.node != node or width < LETTER * len(number) + 2 or x > frame.x(frame.until_s):
                continue
            if len(number) == 1:
                short.append((number, x + width / 2))
            else:
                parts.append(
                    svg.words(number, x + width / 2, y, text_anchor="middle", fill=INK, font_size=10)
                )
        parts.append(svg.digits(short, y, fill=INK, font_size=10))
    return [part for part in parts if part]
