"""Where things are in a picture, and how they look.

The paper is always light, so that pictures read the same on a light and on a dark page.
"""

import functools
from dataclasses import dataclass

from rebuttal.core.timeline import Timeline
from rebuttal.figures.method_diagrams.bars import StagePass, passes_of

WIDTH, LEFT, RIGHT, TOP = 860, 110, 18, 62
ROW, PITCH, RIBBON, GAP = 26, 44, 24, 20
INK, SOFT, TRACK, PAPER, EDGE, COLLECTIVE = "#1f2933", "#56616d", "#eceff3", "#fbfcfd", "#d5dae0", "#8a95a1"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'Liberation Sans', sans-serif"

# One colour per version, again and again; the version's number is always written too.
FILLS = ("#8fc7f2", "#f6c667", "#a2d9a5", "#e6a9d4", "#c6bcf2", "#f3a68f")
LINES = ("#2f7fb8", "#a9720a", "#3d8a44", "#a9488f", "#6554c0", "#c2502f")
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def fill(version: int) -> str:
    """The colour of a version's areas."""
    return FILLS[version % len(FILLS)]


def stroke(version: int) -> str:
    """The colour of a version's lines."""
    return LINES[version % len(LINES)]


def weights(version: int) -> str:
    """The weights' name, such as w₃."""
    return "w" + str(version).translate(SUBSCRIPT)


def hatching(version: int) -> str:
    """The name of the stripes in a version's colour."""
    return f"h{version % len(FILLS)}"


@dataclass(frozen=True)
class Frame:
    """Seconds to the right; on top the newest weights (the server's row, if there is one), then the other nodes."""

    timeline: Timeline
    until_s: float  # the right edge
    scaled: bool = False  # whether stale gradients are marked 1/τ instead of τ

    @property
    def servers(self) -> int:
        """How many of the first nodes are servers."""
        return int(self.timeline.about["servers"])

    @property
    def workers(self) -> list[int]:
        """The nodes that have a row of their own."""
        return list(range(self.servers, int(self.timeline.about["nodes"])))

    @property
    def bottom(self) -> float:
        """The lower edge of the last row."""
        return self.y(self.workers[-1]) + ROW

    def x(self, seconds: float) -> float:
        """The place of a moment; beyond the right edge for later ones."""
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.until_s

    def y(self, node: int) -> float:
        """The top of a node's row."""
        return float(TOP if node < self.servers else TOP + RIBBON + GAP + PITCH * (node - self.servers))

    def height(self, node: int) -> float:
        """The height of a node's row."""
        return float(RIBBON if node < self.servers else ROW)

    def box(self, node: int, start_s: float, end_s: float) -> tuple[float, float, float, float]:
        """x, y, width and height of what fills a node's row for a time."""
        x = self.x(start_s)
        return x, self.y(node), self.x(end_s) - x, self.height(node)

    @functools.cached_property
    def passes(self) -> list[StagePass]:
        """The passes through stages that the picture shows."""
        return passes_of(self.timeline, self.until_s)

    @functools.cached_property
    def is_pipeline(self) -> bool:
        """Whether every node has one stage of the model."""
        stages: dict[int, set[int]] = {}
        for one in self.passes:
            stages.setdefault(one.node, set()).add(one.l)
        return len(stages) > 1 and all(len(some) == 1 for some in stages.values())

    @property
    def role(self) -> str:
        """What a node with a row of its own is."""
        return "stage" if self.is_pipeline else "worker"

    def name(self, node: int) -> str:
        """What a row is called."""
        if self.is_pipeline:
            return f"stage {node - self.servers}"
        return f"worker {node - self.servers + 1}" if len(self.workers) > 1 else "node"
