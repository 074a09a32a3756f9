"""The picture of the rooms in docs/design.md, drawn from the imports.

python -m rebuttal.cli.rooms          draw it again
python -m rebuttal.cli.rooms --check  say whether it is out of date, and end with 1
"""

import sys
from collections.abc import Mapping
from graphlib import TopologicalSorter

from rebuttal.base import code
from rebuttal.cli import generated_parts

START, END = "```mermaid\n", "```\n"
DOOR = "__init__"  # fetches public names for everybody; not drawn
Arrows = Mapping[str, set[str]]


def picture(arrows: Arrows) -> str:
    """A Mermaid flow chart, users above what they use; without the arrows that follow from others."""
    drawn = {room: _nearest(room, arrows) for room in arrows if room != DOOR}
    order = [room for room in TopologicalSorter(arrows).static_order() if room in drawn]
    lines = [f"  {room} --> {below}" for room in reversed(order) for below in sorted(drawn[room])]
    return "\n".join(["flowchart TD", *lines, ""])


def _nearest(room: str, arrows: Arrows) -> set[str]:
    """The rooms that a room imports and that none of the others it imports leads to."""
    return {below for below in arrows[room] if not any(below in _below(one, arrows) for one in arrows[room])}


def _below(room: str, arrows: Arrows) -> set[str]:
    """All rooms that a room leads to."""
    return set().union(*({one, *_below(one, arrows)} for one in arrows[room]))


def drawn_again(text: str) -> str:
    """The text of docs/design.md with its picture as the imports are now."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{picture(code.arrows())}{END}{after}"


def main(arguments: list[str]) -> int:
    """The command."""
    return generated_parts.rewrite("docs/design.md", drawn_again, "python -m rebuttal.cli.rooms", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
