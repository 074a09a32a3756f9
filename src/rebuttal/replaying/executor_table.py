"""The table of executors: what the probe measured, and which executor that makes the choice. No torch.

The choice rests on measured seconds that are kept, not on a clock read in mid-run, so that a replay repeats to the bit
as long as the table is the same. A device's file of costs has the tables of every workload (`rebuttal profile`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rebuttal.base.errors import refuse

SIZES = (1, 2, 4, 8, 16, 32, 64)  # replicas per call that are tried
BETWEEN_S = (
    1e-5  # for each gradient, of updates and calls between them: a whole order in one call is without it
)
NEARLY = 1.1  # what counts as equally fast: repeated measurements differ by about as much


@dataclass(frozen=True)
class Table:
    """Seconds per gradient: samples of a gradient -> executor name -> replicas per call -> seconds.

    batch: the samples of one batch, of which a gradient is over one or several.
    """

    seconds: Mapping[int, Mapping[str, Mapping[int, float]]]
    batch: int = 1

    @classmethod
    def of_text(cls, text: str) -> "Table":
        """What `text` of a table says. Raises InputError if it is of none."""
        try:
            stored = json.loads(text)
            seconds = {
                int(samples): {
                    name: {int(size): float(s) for size, s in by_size.items()}
                    for name, by_size in rows.items()
                }
                for samples, rows in stored["seconds"].items()
            }
            batch, least = int(stored["batch"]), min(rows["loop"][1] for rows in seconds.values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise refuse("executors", text[:80], "a table with the seconds of the loop") from error
        if not (least > 0 and batch > 0):
            raise refuse("executors", [least, batch], "positive seconds of the loop, and samples of a batch")
        return cls(seconds, batch)

    @property
    def text(self) -> str:
        """Its content in one line: equal tables have equal texts."""
        return json.dumps({"batch": self.batch, "seconds": self.seconds}, sort_keys=True)

    def choose(self, batches: int, replicas: int) -> tuple[str, int]:
        """(executor, replicas per call) for this many replicas of gradients over this many batches.

        A number of samples that was not measured is served as the nearest one that was, by their ratio. The loop is
        replaced only by what was faster; of sizes nearly as fast as the best, the largest is taken (fewer calls).
        """
        fit = {
            (name, size): seconds
            for name, by_size in self._nearest(batches).items()
            for size, seconds in by_size.items()
            if size <= replicas
        }
        best = min(fit, key=lambda which: (fit[which], which))
        near = [which for which in fit if which[0] == best[0] and fit[which] <= NEARLY * fit[best]]
        return max(near, key=lambda which: which[1])

    def calls(self, batches: int, replicas: int) -> tuple[str, int]:
        """(executor, number of calls) for this many replicas: about the best size each, evenly cut."""
        name, size = self.choose(batches, replicas)
        return name, max(1, round(replicas / size))

    def prefers(self, name: str, gradients: Mapping[int, int]) -> bool:
        """Whether whole orders by `name` are at least as fast as the best other executor, each at its best size.

        gradients: how many there are over how many batches.
        """
        own = others = 0.0
        for batches, count in gradients.items():
            best = {executor: min(sizes.values()) for executor, sizes in self._nearest(batches).items()}
            own += count * best.pop(name, math.inf)
            others += count * (min(best.values()) + BETWEEN_S)
        return own <= others

    def widest(self, batches: int) -> int:
        """The number of replicas per call beyond which nothing is gained."""
        return self.choose(batches, max(SIZES))[1]

    def quickest_s(self, batches: int) -> float:
        """Seconds of a gradient over this many batches, served in the best way, for estimates."""
        return min(s for by_size in self._nearest(batches).values() for s in by_size.values())

    def _nearest(self, batches: int) -> Mapping[str, Mapping[int, float]]:
        """What was measured at the number of samples that is nearest, the smaller of two that are as near."""
        samples = batches * self.batch
        return self.seconds[
            min(self.seconds, key=lambda known: (max(known / samples, samples / known), known))
        ]
