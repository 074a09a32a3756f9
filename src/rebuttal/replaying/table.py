"""The table of executors: what the probe measured, and which executor that makes the choice. No torch.

The choice rests on a file of measured seconds, not on a clock read in mid-run, so that a replay repeats to the bit as
long as the file is the same. The pipeline's profile stage writes it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rebuttal.errors import InputError, refuse

SIZES = (1, 2, 4, 8, 16, 32, 64)  # replicas per call that are tried
NEARLY = 1.1  # what counts as equally fast: repeated measurements differ by about as much


@dataclass(frozen=True)
class Table:
    """Seconds per gradient: batches per gradient -> executor name -> replicas per call -> seconds."""

    seconds: Mapping[int, Mapping[str, Mapping[int, float]]]

    def choose(self, batches: int, replicas: int) -> tuple[str, int]:
        """(executor, replicas per call) for this many replicas of gradients over this many batches.

        A number of batches that was not measured is served as the nearest one that was. The loop is replaced only
        by what was faster; of sizes that are nearly as fast as the best, the largest is taken (fewer calls).
        """
        nearest = min(self.seconds, key=lambda measured: (abs(measured - batches), measured))
        fit = {
            (name, size): seconds
            for name, by_size in self.seconds[nearest].items()
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

    def widest(self, batches: int) -> int:
        """The number of replicas per call beyond which nothing is gained."""
        return self.choose(batches, max(SIZES))[1]


def write_tables(tables: Mapping[tuple[str, int], Table], path: Path) -> None:
    """Write tables by (workload, samples of a batch) to `path` (.json); the file appears whole or not at all."""
    temporary = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {_key(*which): table.seconds for which, table in tables.items()}
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(temporary, path)


def _key(workload: str, batch: int) -> str:
    return f"{workload} batch={batch}"


def read_table(path: Path, workload: str, batch: int) -> Table:
    """The table of one workload at so many samples a batch.

    Raises:
        InputError: a missing or broken file, or a workload that is not in it.
    """
    try:
        stored = json.loads(path.read_text())[_key(workload, batch)]
        seconds = {
            int(batches): {
                name: {int(size): float(s) for size, s in by_size.items()} for name, by_size in rows.items()
            }
            for batches, rows in stored.items()
        }
        least = min(rows["loop"][1] for rows in seconds.values())  # KeyError, ValueError: not such a table
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        allowed = f"a file that `dvc repro profile` writes, with {_key(workload, batch)!r}"
        raise InputError(f"executors {path}: got {error!r}; allowed: {allowed}") from error
    if not least > 0:
        raise refuse(f"executors {path}: seconds of the loop", least, "a positive number")
    return Table(seconds)
