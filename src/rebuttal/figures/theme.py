"""How every chart looks: one colour, dash and shape per method, calm axes, sizes that follow the page.

Colours can be seen on a white and on a near-black page. So many of them cannot all be told apart by every eye: the dash
and the shape say the same thing once more, so that no reading rests on colour alone. A method without a colour of its
own has its group's (`rebuttal.figures.method_groups`) and a dash of its own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rebuttal.evidence.naming import words  # noqa: F401 - where figures and pages look for it
from rebuttal.figures.method_groups import DASH_DOT, DASHED, DOTTED, SOLID, family_looks

FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK, SOFT, GRID = "#24292f", "#57606a", "#e3e6ea"
BASELINE = "mini_batch"  # what every study compares with
STRONG, MUTED = "#5b636c", "#a3aab2"  # of the baseline and of all others, beside a paper's own method

# family of methods -> (colour, dash of its first variant)
FAMILIES: dict[str, tuple[str, tuple[int, ...]]] = family_looks() | {
    "mini_batch": ("#7b8087", SOLID),
    "all_reduce": ("#a0714f", SOLID),
    "synchronous": ("#1f77b4", SOLID),
    "backup_workers": ("#00937a", SOLID),
    "k_sync": ("#47a9d8", DASHED),
    "asynchronous": ("#d1541b", SOLID),
    "asynchronous_clipped": ("#c98a00", DASHED),
    "softsync": ("#9a5fb5", SOLID),
    "softsync_aware": ("#d279a6", DASHED),
    "delayed": ("#7c8b2a", SOLID),
    # what studies call a method with another rule or as a grid of its own
    "mini_batch_momentum": ("#b0565f", SOLID),
    "gpipe_momentum": ("#8a7a5c", SOLID),
    "continuous_propagation_momentum": ("#5b6fb5", SOLID),
    "delayed_all_reduce_momentum": ("#8a7a5c", SOLID),
    "pprs_parts": ("#5b6fb5", SOLID),
    "pprs_width": ("#b0565f", SOLID),
}
SPARE = ("#5b6fb5", "#b0565f", "#4f8f4f", "#8a7a5c")
VARIANT_DASHES = (SOLID, DASHED, DOTTED, DASH_DOT)
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down")
WORKLOAD_COLOURS = (
    "#1f77b4", "#d1541b", "#00937a", "#9a5fb5", "#7b8087", "#c98a00", "#47a9d8", "#d279a6", "#a0714f",
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How one series is drawn: a colour, a dash pattern (on, off, ... in pixels) and a point shape."""

    colour: str
    dash: tuple[int, ...]
    shape: str


@dataclass(frozen=True)
class Entry:
    """One legend entry: the value in the data, its name for a reader, one line that defines it, how it is drawn."""

    label: str
    name: str
    definition: str
    style: Style
    mark: str = "line"  # line | point | area


def family(label: str) -> str:
    """The method of a variant's label: 'backup_workers b=2' -> 'backup_workers'."""
    return label.split(maxsplit=1)[0]


def family_style(name: str, order: int) -> tuple[str, tuple[int, ...]]:
    """Colour and dash of a family; one that the table does not know takes a spare colour, by its position."""
    return FAMILIES.get(name, (SPARE[order % len(SPARE)], SOLID))


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """One style per label: the family's colour everywhere; variants of a family differ by dash and by shape."""
    labels = list(labels)
    names = list(dict.fromkeys(family(label) for label in labels))
    found = {}
    for order, name in enumerate(names):
        colour, dash = family_style(name, order)
        for place, label in enumerate([one for one in labels if family(one) == name]):
            pattern = dash if place == 0 else VARIANT_DASHES[place % len(VARIANT_DASHES)]
            found[label] = Style(colour, pattern, SHAPES[(order + place) % len(SHAPES)])
    return {label: found[label] for label in labels}


def stands_out(label: str, own: Collection[str]) -> bool:
    """Whether a label is a variant of one of some families, with momentum or without."""
    return any(f"{family(label)}_".startswith(f"{name}_") for name in own)


def emphasis(labels: Sequence[str], own: Collection[str]) -> dict[str, str]:
    """The colours that let a paper's own methods stand out. own: their families; a momentum variant is one of them.

    Label -> colour; empty where none of the labels is a paper's own, or where nothing would stand back.
    """
    others = [label for label in labels if not stands_out(label, own)]
    if not others or len(others) == len(labels):
        return {}
    looks, muted = styles(labels), behind(others)
    return {label: muted.get(label) or looks[label].colour for label in labels}


def behind(labels: Iterable[str]) -> dict[str, str]:
    """The colours of what stands back behind a paper's own methods, dark for the baseline."""
    return {label: STRONG if family(label) == BASELINE else MUTED for label in labels}


def is_muted(style: Style) -> bool:
    """Whether a series stands back behind a paper's own."""
    return style.colour == MUTED


def plain_styles(labels: Iterable[str]) -> dict[str, Style]:
    """Styles for series that are no methods (workloads, stragglers): a colour and a shape each."""
    return {
        label: Style(
            WORKLOAD_COLOURS[i % len(WORKLOAD_COLOURS)], VARIANT_DASHES[i % 4], SHAPES[i % len(SHAPES)]
        )
        for i, label in enumerate(labels)
    }


def config() -> dict:
    """The Vega-Lite configuration of every chart."""
    axis = {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": SOFT,
        "titleColor": INK, "gridColor": GRID, "domainColor": "#b6bcc4", "tickColor": "#b6bcc4", "tickSize": 4,
        "titlePadding": 8, "labelOverlap": "greedy", "labelSeparation": 4, "tickCount": 5,
    }  # fmt: skip
    legend = {
        "orient": "bottom", "direction": "vertical", "labelLimit": 720, "labelFontSize": 11, "title": None,
        "symbolStrokeWidth": 2.5, "symbolSize": 140, "rowPadding": 5, "labelColor": INK,
    }  # fmt: skip
    title = {
        "anchor": "start", "fontSize": 14, "fontWeight": 600, "subtitleFontSize": 12, "color": INK,
        "subtitleColor": SOFT, "subtitlePadding": 4, "offset": 12, "frame": "group",
    }  # fmt: skip
    return {
        "font": FONT, "background": "transparent", "view": {"stroke": None}, "axis": axis, "legend": legend,
        "title": title, "line": {"strokeWidth": 2}, "point": {"filled": True, "size": 46, "opacity": 1},
        "concat": {"spacing": 36},
    }  # fmt: skip


def option(label: str, name: str) -> float | None:
    """The option of a variant's label: ('backup_workers b=2', 'b') -> 2.0; None if it has none of that name."""
    found = dict(part.split("=", 1) for part in label.split()[1:] if "=" in part)
    return float(found[name]) if name in found else None
