"""The key under a picture: only what occurs in it."""

from collections.abc import Callable

from rebuttal.figures.method_diagrams import svg
from rebuttal.figures.method_diagrams.bars import Gradient, messages_of
from rebuttal.figures.method_diagrams.frame import (
    COLLECTIVE,
    FILLS,
    INK,
    LEFT,
    LINES,
    RIGHT,
    SOFT,
    WIDTH,
    Frame,
    hatching,
)
from rebuttal.figures.method_diagrams.pass_boxes import look, numbers_are
from rebuttal.simulation.timeline_metrics.dependency_chains import UPDATES

Sign = Callable[[float, float], str]  # draws itself left of the words whose middle is at this height
SIGN, LETTER, LINE = 34, 5.7, 19  # widths of a sign and of a letter, height of a line


def key(frame: Frame, gradients: list[Gradient], top: float) -> tuple[list[str], float]:
    """The key as elements, and its lower edge."""
    parts, x, y = [], float(LEFT), top
    for sign, text in _entries(frame, gradients):
        width = SIGN + LETTER * len(text) + 18
        if x + width > WIDTH - RIGHT + 18 and x > LEFT:
            x, y = float(LEFT), y + LINE
        parts += [sign(x, y), svg.words(text, x + SIGN, y + 4, fill=SOFT)]
        x += width
    return parts, y + LINE / 2


def _entries(frame: Frame, gradients: list[Gradient]) -> list[tuple[Sign, str]]:
    names = frame.timeline.names
    candidates = [
        *_gradient_entries(frame, gradients),
        *_pass_entries(frame),
        (any(name.startswith("all_reduce") for name in names), _bar(fill=COLLECTIVE), "all-reduce"),
        (any(name in UPDATES for name in names), _tick, "update: new weights"),
        *_message_entries(frame),
    ]
    return [(sign, text) for wanted, sign, text in candidates if wanted]


def _gradient_entries(frame: Frame, gradients: list[Gradient]) -> list[tuple[bool, Sign, str]]:
    """Of gradients in one piece."""
    seen = {gradient.fate for gradient in gradients}
    lost = next((g.version for g in gradients if g.fate != "used"), 0)
    return [
        (
            bool(gradients),
            _bar(fill=FILLS[0], stroke=LINES[0]),
            "gradient, in the colour of the weights it is computed on",
        ),
        (any(g.staleness for g in gradients), _letter("τ"), "updates made since those were the newest"),
        (frame.scaled, _letter("× 1/τ"), "what the gradient is multiplied by"),
        ("dropped" in seen, _unused(lost), "gradient that comes too late and is dropped"),
        ("abandoned" in seen, _unused(lost), "gradient that is given up"),
    ]


def _pass_entries(frame: Frame) -> list[tuple[bool, Sign, str]]:
    """Of passes through stages."""
    kinds = {one.kind for one in frame.passes}
    words = {
        "forward": "forward pass, in the colour of the weights it reads",
        "backward": "backward pass",
        "input_gradient": "backward pass to the stage below",
        "weight_gradient": "gradient of the weights",
    }
    entries = [(kind in kinds, _bar(**look(kind, 0)), text) for kind, text in words.items()]
    return [*entries, (bool(kinds), _letter("1"), f"number of the {numbers_are(frame)}")]


def _message_entries(frame: Frame) -> list[tuple[bool, Sign, str]]:
    sent = {message.is_gradient for message in messages_of(frame.timeline, frame.until_s)}
    return [
        (False in sent, _line(SOFT, 0.8), "weights on their way"),
        (True in sent, _line(LINES[0], 1.3), "gradient on its way"),
    ]


def _bar(**look: object) -> Sign:
    return lambda x, y: svg.box(x, y - 6, 26, 12, **look)


def _unused(version: int) -> Sign:
    return _bar(fill=f"url(#{hatching(version)})", stroke=LINES[version % len(LINES)], stroke_dasharray="4 2")


def _letter(text: str) -> Sign:
    return lambda x, y: svg.words(text, x + 13, y + 4, text_anchor="middle", fill=INK)


def _tick(x: float, y: float) -> str:
    bar = svg.box(x + 8, y - 6, 9, 12, rx=0, fill=INK, opacity=0.85)
    return bar + svg.line(x + 17, y - 8, x + 17, y + 8, stroke=INK, stroke_width=1.8)


def _line(colour: str, width: float) -> Sign:
    return lambda x, y: svg.line(x + 4, y - 6, x + 22, y + 6, stroke=colour, stroke_width=width)
