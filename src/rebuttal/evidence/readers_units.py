"""Units as readers have them: accuracies in percentage points, losses in bits."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadersUnit:
    """What a number is called, and what turns one of the result files into it."""

    name: str
    factor: float = 1.0

    def of(self, value: float) -> float:
        """A number of the result files in this unit."""
        return self.factor * value


READ = {
    "fraction": ReadersUnit("points", 100.0),
    "nat": ReadersUnit("bits", 1 / math.log(2)),
    "share": ReadersUnit("%", 100.0),
}


def unit_of(given: str) -> ReadersUnit:
    """The unit in which readers have a unit of the result files: 'fraction per unit of k' in points per unit of k."""
    first, _, rest = given.partition(" ")
    known = READ.get(first)
    return ReadersUnit(f"{known.name} {rest}".strip(), known.factor) if known else ReadersUnit(given)
