"""Where an answer depends on the place: the attribute that separates places that say yes from those that say no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rebuttal.evidence.judging import PlaceOutcome
from rebuttal.evidence.naming import named, words
from rebuttal.machines import MACHINES

SIDES = ("supported", "contradicted")


@dataclass(frozen=True)
class Attribute:
    """What separates places. name: 'bandwidth'; yes, no: the two sides, as in 'up to 10 Gb/s' and 'from 25 Gb/s on'."""

    name: str
    yes: str
    no: str

    @property
    def sentence(self) -> str:
        """Both sides."""
        return f"supported {self.yes}, contradicted {self.no}"


def separating(places: Sequence[PlaceOutcome]) -> Attribute | None:
    """The attribute that separates supported from contradicted places best, ordered ones first; None if none does."""
    some = [one for one in places if one.word in SIDES]
    if {one.word for one in some} != set(SIDES):
        return None
    tables = [_attributes(one.labels) for one in some]
    said = [one.word for one in some]
    found = []
    for name in dict.fromkeys(name for table in tables for name in table):
        values = [table.get(name) for table in tables]
        if None not in values and len(set(values)) > 1:
            found.append(_split(name, values, said))
    best = min((one for one in found if one), key=lambda one: one[0], default=None)
    return best[1] if best and best[0][0] == 0 else None


def _attributes(labels: Mapping[str, Any]) -> dict[str, Any]:
    """The labels themselves, and what a machine is made of."""
    found = {str(name): value for name, value in labels.items()}
    if labels.get("machine") in MACHINES:
        machine = MACHINES[labels["machine"]]
        bandwidth = machine.worker_link.bandwidth_bytes_per_s
        found |= {"bandwidth": float(bandwidth), "stragglers": type(machine.stragglers).__name__}
    return found


def _split(name: str, values: Sequence[Any], said: Sequence[str]) -> tuple[tuple[int, int], Attribute] | None:
    """How many places a rule on one attribute misjudges, how complex it is, and the rule in words."""
    if all(isinstance(value, int | float) for value in values):
        return _threshold(name, values, said)
    sides = {
        value: {word for other, word in zip(values, said, strict=True) if other == value} for value in values
    }
    if any(len(words_) > 1 for words_ in sides.values()):
        return None
    lists = [_listed(sorted({named(value) for value in sides if sides[value] == {side}})) for side in SIDES]
    return (0, len(sides)), Attribute(_called(name), f"for {lists[0]}", f"for {lists[1]}")


def _threshold(
    name: str, values: Sequence[float], said: Sequence[str]
) -> tuple[tuple[int, int], Attribute] | None:
    """A threshold on an ordered attribute, if one separates without an error."""
    yes, no = ([value for value, word in zip(values, said, strict=True) if word == side] for side in SIDES)
    if max(yes) < min(no):
        return (0, 1), Attribute(
            _called(name), f"up to {_number(name, max(yes))}", f"from {_number(name, min(no))} on"
        )
    if max(no) < min(yes):
        return (0, 1), Attribute(
            _called(name), f"from {_number(name, min(yes))} on", f"up to {_number(name, max(no))}"
        )
    return None


def _number(name: str, value: float) -> str:
    if name != "bandwidth":
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
    return f"{8 * value / 1e9:g} Gb/s" if value < float("inf") else "a free network"


def _called(name: str) -> str:
    return {"machine": "network", "half_batch": "device", "form": "variant"}.get(name, words(name))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else ", ".join(names)
