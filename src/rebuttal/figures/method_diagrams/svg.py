"""SVG by hand: elements as strings, numbers with one decimal, so that equal pictures are equal files."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr


def tag(name: str, *inside: str, **attributes: object) -> str:
    """One element. `stroke_width=2` becomes stroke-width="2"; None leaves an attribute out; `inside` is markup."""
    text = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_written(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{text}>{''.join(inside)}</{name}>" if inside else f"<{name}{text}/>"


def words(text: str, x: float, y: float, **attributes: object) -> str:
    """A line of text."""
    return tag("text", escape(text), x=x, y=y, **attributes)


def box(x: float, y: float, width: float, height: float, **attributes: object) -> str:
    """A rectangle with slightly round corners."""
    return tag("rect", x=x, y=y, width=width, height=height, **{"rx": 2, **attributes})


def boxes(boxes: Iterable[tuple[float, float, float, float]], **attributes: object) -> str:
    """Rectangles (x, y, width, height) that look alike, as one path: many of them take few bytes."""
    d = "".join(f"M{_short(x)} {_short(y)}h{_short(w)}v{_short(h)}h{_short(-w)}z" for x, y, w, h in boxes)
    return tag("path", d=d, **attributes) if d else ""


def digits(marks: Iterable[tuple[str, float]], y: float, **attributes: object) -> str:
    """Single characters on one line, each centred at its own x, as one element."""
    some = list(marks)
    if not some:
        return ""
    places = " ".join(f"{x:.0f}" for _, x in some)
    return tag("text", "".join(mark for mark, _ in some), x=places, y=y, text_anchor="middle", **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def _short(value: float) -> str:
    """A length in a path, with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _written(value: object) -> str:
    """Lengths with at most one decimal."""
    return _short(value) if isinstance(value, float) else str(value)
