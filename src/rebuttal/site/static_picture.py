"""The picture of a chart as SVG, for readers without JavaScript and for print: without what a reader cannot see."""

import hashlib
import json
import re
from importlib.metadata import version
from typing import Any

import vl_convert

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text

WIDTH = 380  # pixels of the picture: legible when scaled to a phone and to a page
# What Vega writes for scripts and screen readers, or says again of every mark. The style sheet names the font, and it
# asks for the parts of axes. An empty frame is no mark.
UNSEEN = re.compile(
    r'<path class="(?:background|foreground)"(?![^>]* (?:fill|stroke)=)[^>]*/>'
    r'| (?:role|aria-roledescription|aria-hidden|font-family|pointer-events|stroke-miterlimit)="[^"]*"'
    r'| (?:version|xmlns:xlink)="[^"]*"'
    r'| opacity="1"| (?:[xy]2|dy)="0"| class="(?!mark-\w+ role-axis-)[^"]*"'
)
CLASS = re.compile(r' class="mark-\w+ (role-axis-[\w-]+)"')
PLACED = re.compile(r' (?:d|transform|points)="[^"]*"')
FRACTION = re.compile(r"(-?\d*)\.(\d{2,})")


def static(spec: dict[str, Any]) -> str:
    """The picture of a specification, with a viewBox, its coordinates rounded to a tenth of a pixel.

    Pictures are kept by their content: one changed chart does not cost the drawing of all others.
    """
    text = json.dumps(spec | {"width": WIDTH}, sort_keys=True)
    name = hashlib.sha256(f"{version('vl-convert-python')}\n{text}".encode()).hexdigest()
    kept = paths.root() / ".cache" / "pictures" / f"{name}.svg"
    if not kept.is_file():
        write_text(kept, vl_convert.vegalite_to_svg(text))
    svg = kept.read_text(encoding="utf-8")
    return '<svg aria-hidden="true"' + small(svg[svg.index("<svg") + len("<svg") :])


def small(svg: str) -> str:
    """The same picture in fewer bytes."""
    seen = CLASS.sub(r' class="\1"', UNSEEN.sub("", svg))
    return PLACED.sub(lambda place: FRACTION.sub(_rounded, place.group()), seen)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number.group()):.1f}".removesuffix(".0").replace("-0.", "-.") or "0"
