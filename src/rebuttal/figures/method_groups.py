"""Kinds of methods: where there are too many methods for a colour each, the colour says the kind.

The group's colour, dash and shape say the same thing; which method it is stands beside the mark or is pointed at.
"""

from dataclasses import dataclass

from rebuttal.methods import METHODS

SOLID, DASHED, DOTTED, DASH_DOT = (1, 0), (6, 3), (2, 3), (8, 3, 2, 3)
#: One for each method of a group.
DASHES = (
    SOLID, DASHED, DOTTED, DASH_DOT, (12, 4), (4, 2), (12, 3, 2, 3, 2, 3), (5, 5), (1, 2), (9, 2), (3, 6),
    (12, 2, 4, 2),
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Methods of one kind, and how the kind is drawn."""

    name: str
    definition: str
    colour: str
    dash: tuple[int, ...]
    shape: str

    @property
    def families(self) -> tuple[str, ...]:
        """The package's methods of this kind; each says so itself."""
        return tuple(name for name, kind in METHODS.items() if GROUPS.get(kind.group) is self)


#: The colours keep their distance under deuteranopia and protanopia (tests/test_charts.py has the law).
GROUPS: dict[str, Group] = {
    "one_node": Group(
        "one node", "no parallel training: the baseline, and staleness without anything else",
        "#7b8087", SOLID, "circle",
    ),
    "collectives": Group(
        "by collectives", "every node holds the model; they average gradients or weights among themselves",
        "#227727", DASHED, "square",
    ),
    "server": Group(
        "through a server", "workers send gradients to a server, which holds the weights",
        "#1f77b4", (12, 4), "diamond",
    ),
    "memory": Group(
        "shared memory", "nodes read and write weights that others change meanwhile",
        "#fd736f", DOTTED, "triangle-up",
    ),
    "layers": Group(
        "across layers", "each node has a part of the layers; batches pass from one to the next",
        "#a12e7b", DASH_DOT, "cross",
    ),
    "local_losses": Group(
        "local losses", "across layers too, but a node learns from a loss or a gradient predicted by itself",
        "#d27de6", (1, 2), "triangle-down",
    ),
    "acceleration": Group(
        "acceleration", "Nesterov's accelerated gradient, and a smoothed loss to use it on",
        "#73a40a", (12, 3, 2, 3, 2, 3), "triangle-right",
    ),
}  # fmt: skip
#: Whatever stands in no list: a method of your own.
OTHER = Group("other methods", "methods that stand in no group yet", "#5b6fb5", (5, 5), "triangle-left")


def group_of(name: str) -> str:
    """The key of a method's group; 'other' for one that stands in none.

    A study's own name, such as mini_batch_momentum, stands in the group of the longest name that it begins with.
    """
    begun = [family for family in METHODS if f"{name}_".startswith(f"{family}_")]
    return METHODS[max(begun, key=len)].group if begun else "other"


def group(key: str) -> Group:
    """The group called `key`."""
    return GROUPS.get(key, OTHER)


def family_looks() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Family -> (colour of its group, a dash of its own in that group)."""
    return {
        name: (one.colour, DASHES[place % len(DASHES)])
        for one in GROUPS.values()
        for place, name in enumerate(one.families)
    }
