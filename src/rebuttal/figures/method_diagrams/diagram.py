"""From a timeline to a picture: a row per node, a bar per gradient, in the colour of the weights that it read."""

import numpy as np

from rebuttal.figures.method_diagrams import bars, svg
from rebuttal.figures.method_diagrams.bars import Gradient
from rebuttal.figures.method_diagrams.diagram_spans import metadata
from rebuttal.figures.method_diagrams.frame import (
    EDGE,
    FONT,
    INK,
    LEFT,
    PAPER,
    PITCH,
    RIBBON,
    ROW,
    SOFT,
    TOP,
    TRACK,
    WIDTH,
    Frame,
    fill,
    hatching,
    stroke,
    weights,
)
from rebuttal.figures.method_diagrams.key import key
from rebuttal.figures.method_diagrams.pass_boxes import passes
from rebuttal.figures.method_diagrams.wires import collectives, mail, overlapping
from rebuttal.simulation.timeline_metrics.gradient_table import gradients as completed
from rebuttal.simulation.timeline_metrics.joined_passes import COMPUTING


def draw(frame: Frame, title: str, about: str) -> str:
    """The SVG of a run. `about` is the line under the title that says what machine this is."""
    gradients = bars.gradients_of(frame.timeline, frame.until_s)
    key_parts, bottom = key(frame, gradients, frame.bottom + 50)
    height = round(bottom + 14)
    parts = [
        svg.tag("title", title, id="t"),
        svg.tag("desc", describe(frame, gradients), id="d"),
        metadata(frame),
        svg.tag("defs", _clip(frame), *_hatchings(gradients)),
        svg.box(0.5, 0.5, WIDTH - 1, height - 1, rx=8, fill=PAPER, stroke=EDGE),
        svg.words(title, 18, 25, font_size=15, font_weight=600, fill=INK),
        svg.words(about, 18, 44, fill=SOFT),
        *_axis(frame),
        *_names(frame),
        svg.tag("g", "\n", "\n".join(_inside(frame, gradients)), "\n", clip_path="url(#c)"),
        *key_parts,
    ]
    head = {"viewBox": f"0 0 {WIDTH} {height}", "width": WIDTH, "height": height, "role": "img"}
    labels = {"aria_labelledby": "t d", "font_family": FONT, "font_size": 11.5}
    inside = "\n" + "\n".join(parts) + "\n"
    return svg.tag("svg", inside, xmlns="http://www.w3.org/2000/svg", **head, **labels) + "\n"


def describe(frame: Frame, gradients: list[Gradient]) -> str:
    """The picture in words, for those who do not see it."""
    if frame.passes:
        done, lost, stale = _by_stages(frame)
    else:
        done = len([g for g in gradients if g.end_s <= frame.until_s])
        lost = sum(g.fate != "used" for g in gradients if g.end_s <= frame.until_s)
        used = [g for g in gradients if g.end_s <= frame.until_s and g.fate == "used"]
        stale = max((g.staleness for g in used), default=0)
    updates = len(bars.reigns(frame.timeline, frame.until_s)) - 1
    rows = "one node" if len(frame.workers) == 1 else f"{len(frame.workers)} {frame.role}s"
    return (
        f"Timeline of {rows} over {frame.until_s:g} seconds. Updates: {updates}. Gradients finished or given up: "
        f"{done}; not used: {lost}. Largest staleness of a used gradient: {stale}."
    )


def _by_stages(frame: Frame) -> tuple[int, int, int]:
    """Of the gradients that were computed stage by stage: how many, how many were not used, the largest staleness."""
    table = completed(frame.timeline)
    shown = table.isel(gradient=table["end_s"].values <= frame.until_s)
    stale = shown["staleness"].values
    return shown.sizes["gradient"], int(shown["late"].sum()), int(max(stale[~np.isnan(stale)], default=0))


def _inside(frame: Frame, gradients: list[Gradient]) -> list[str]:
    """Everything between the left and the right edge of time, from the back to the front."""
    width = frame.x(frame.until_s) - LEFT
    return [
        *[svg.box(LEFT, frame.y(node), width, ROW, rx=0, fill=TRACK) for node in frame.workers],
        *_ribbon(frame),
        *mail(frame),
        *[_gradient(frame, gradient) for gradient in gradients],
        *passes(frame),
        *collectives(frame),
        *_updates(frame),
    ]


def _clip(frame: Frame) -> str:
    width = frame.x(frame.until_s) - LEFT
    below = PITCH - ROW if overlapping(frame) else 4
    inside = svg.tag("rect", x=LEFT, y=TOP - 8, width=width, height=frame.bottom + below - TOP + 8)
    return svg.tag("clipPath", inside, id="c")


def _hatchings(gradients: list[Gradient]) -> list[str]:
    """Stripes for each colour of an unused gradient."""
    names = {hatching(g.version): fill(g.version) for g in gradients if g.fate != "used"}
    size = {"width": 6, "height": 6, "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    stripe = {"x": 0, "y": 0, "width": 2, "height": 6}
    stripes = {name: svg.tag("rect", **stripe, fill=colour) for name, colour in names.items()}
    return [svg.tag("pattern", inside, id=name, **size) for name, inside in stripes.items()]


def _axis(frame: Frame) -> list[str]:
    parts = []
    for second in range(int(frame.until_s) + 1):
        x, y = frame.x(second), frame.bottom
        parts.append(svg.line(x, TOP - 4, x, y + 6, stroke=EDGE, stroke_dasharray="1 4"))
        parts.append(svg.words(f"{second} s", x, y + 21, text_anchor="middle", fill=SOFT))
    return parts


def _names(frame: Frame) -> list[str]:
    named = [("server" if frame.servers else "newest weights", TOP + RIBBON / 2)]
    named += [(frame.name(node), frame.y(node) + ROW / 2) for node in frame.workers]
    return [svg.words(name, LEFT - 12, y + 4, text_anchor="end", fill=INK) for name, y in named]


def _ribbon(frame: Frame) -> list[str]:
    """The newest version at every moment, with a tick at each update."""
    parts = []
    for version, start_s, end_s in bars.reigns(frame.timeline, frame.until_s):
        x, width = frame.x(start_s), frame.x(end_s) - frame.x(start_s)
        parts.append(svg.box(x, TOP, width, RIBBON, rx=0, fill=fill(version)))
        if version:
            parts.append(svg.line(x, TOP - 5, x, TOP + RIBBON + 3, stroke=INK, stroke_width=1.8))
        if width > 14 + 8 * len(weights(version)):
            parts.append(svg.words(weights(version), x + 5, TOP + 16, fill=INK, font_weight=600))
    return parts


def _gradient(frame: Frame, gradient: Gradient) -> str:
    """A bar, filled if used, else hatched; the version that it read; its staleness where there is room."""
    x, y = frame.x(gradient.start_s), frame.y(gradient.node)
    width, used = frame.x(gradient.end_s) - x, gradient.fate == "used"
    look = {"fill": fill(gradient.version)}
    if not used:
        look = {"fill": f"url(#{hatching(gradient.version)})", "stroke_dasharray": "4 2"}
    halo = {} if used else {"paint_order": "stroke", "stroke": PAPER, "stroke_width": 3}
    parts = [svg.box(x, y, width, ROW, stroke=stroke(gradient.version), **look)]
    if width > 20:
        parts.append(svg.words(weights(gradient.version), x + 6, y + 17, fill=INK, **halo))
    note = _note(frame, gradient)
    if note and width > 32 + 5.5 * len(note) and gradient.end_s <= frame.until_s:
        parts.append(svg.words(note, x + width - 5, y + 17, text_anchor="end", fill=INK, **halo))
    return "".join(parts)


def _note(frame: Frame, gradient: Gradient) -> str:
    """What stands at the end of a bar."""
    stale = gradient.staleness
    if gradient.fate != "used":
        return "too late" if gradient.fate == "dropped" else "given up"
    if frame.scaled and stale > 1:
        return f"τ = {stale}, × 1/{stale}"
    return f"τ = {stale}" if stale else ""


def _updates(frame: Frame) -> list[str]:
    """What is computed on weights alone, on the nodes that do it: updates, for the most part."""
    c, names, spans = frame.timeline.computes, frame.timeline.names, []
    for row in range(len(c["node"])):
        name = names[c["operation"][row]]
        if c["start_s"][row] < frame.until_s and name not in COMPUTING and not name.startswith("all_reduce"):
            spans.append((int(c["node"][row]), float(c["start_s"][row]), float(c["end_s"][row])))
    if frame.passes:
        return [svg.boxes([frame.box(*span) for span in spans], fill=INK, opacity=0.85)]
    look = {"rx": 0, "fill": INK, "opacity": 0.85}
    return [svg.box(*frame.box(*span), **look) for span in spans]
