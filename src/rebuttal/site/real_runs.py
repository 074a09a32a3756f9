"""docs/real_runs.md, written from what the benchmarks of real processes measured: no number in it was typed.

`python -m rebuttal.site.real_runs` writes the page again from the files in reference/.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.base.paths import root
from rebuttal.evidence import markdown_table

Measured = Mapping[str, Any]
FILES = ("real_runs_benchmark", "straggler_gain_benchmark", "straggler_gain_again_benchmark")
HEAD = """# What was measured on real processes

Written by `python -m rebuttal.site.real_runs` from the files that the benchmarks wrote into `reference/`.
[processes.md](processes.md) says what is run and how.
"""
RECORDED = """## Recorded runs that replay to the bit

`python benchmarks/real_runs.py --write reference/real_runs_benchmark.json`: asynchronous runs of {updates} updates,
with drawn seeds and injected stragglers, a checksum for every version. **{sound} of {runs} runs** were computed again
to the bit. Runs of one order are those of methods whose order does not depend on who is late.
"""
GAIN = """## What a backup worker gains

`python benchmarks/straggler_gain.py`: K-sync SGD on processes that sleep as lognormal stragglers do ({pace_ms:.0f} ms
for a slowdown of 1), {repetitions} repetitions of {updates} updates. The gain is the seconds of an update of N workers
over those of N + 1 of which N are waited for. The prediction is the ratio of order statistics E[X(N:N)] / E[X(N:N+1)];
*these draws* is that ratio of the very slowdowns that were drawn. In **{agree} of {rows} settings** of all series the
95 % interval of the measured gain holds the prediction; one in twenty such intervals is expected not to. The
settings of a series share their seeds, so they err together.

Before these series two shorter ones on a busy machine were broken off after three settings in all, one of which did not
agree; the repetitions were made more, and the priority of the processes higher, after that was seen.
"""
SERIES = """### Seeds {first} to {last}

{agree} of {rows} settings agree.
"""
CONDITIONS = """
{name}, {cores} cores for these processes, torch {torch}. {timing}
"""


def page(runs: Measured, *gains: Measured) -> str:
    """The whole page. runs, gains: what the two benchmarks write, the second once for each of its series."""
    return "\n".join([HEAD, _recorded(runs), _gain_in_words(gains), *map(_series, gains)])


def _recorded(runs: Measured) -> str:
    methods = runs["methods"]
    sound, count = (sum(row[key] for row in methods) for key in ("to_the_bit", "runs"))
    cells = [[row["method"], str(row["runs"]), str(row["to_the_bit"]), str(row["orders"])] for row in methods]
    text = RECORDED.format(updates=runs["updates"], sound=sound, runs=count)
    table = markdown_table.table(("method", "runs", "to the bit", "different orders"), cells)
    return f"{text}\n{table}{_conditions(runs['device'])}"


def _gain_in_words(gains: Sequence[Measured]) -> str:
    rows = [row for one in gains for row in one["rows"]]
    return GAIN.format(
        agree=sum(row["agrees"] for row in rows), rows=len(rows), pace_ms=1e3 * rows[0]["pace_s"],
        repetitions=len(rows[0]["seeds"]), updates=rows[0]["updates"],
    )  # fmt: skip


def _series(gains: Measured) -> str:
    rows = gains["rows"]
    seeds = {"first": min(rows[0]["seeds"]), "last": max(rows[0]["seeds"])}
    said = SERIES.format(agree=sum(row["agrees"] for row in rows), rows=len(rows), **seeds)
    head = (
        "stragglers",
        "N",
        "measured gain",
        "95 % interval",
        "predicted",
        "these draws",
        "other ms per update",
    )
    return f"{said}\n{markdown_table.table(head, map(_gain, rows))}" + _conditions(gains["device"])


def _gain(row: Measured) -> list[str]:
    interval = f"{row['low']:.3f} to {row['high']:.3f}"
    numbers = [f"{row[key]:.3f}" for key in ("predicted", "drawn")]
    other_ms = f"{1e3 * row['overhead_s']:.1f}"
    return [row["stragglers"], str(row["needed"]), f"{row['gain']:.3f}", interval, *numbers, other_ms]


def _conditions(device: Measured) -> str:
    """Where it was measured, and whether its seconds support a claim."""
    timing, load = device.get("timing"), device["load_average"][0]
    if timing is None:
        said = f"The load was {load:.1f}; seconds are in the file, and support no claim."
    elif timing["supports_timing"]:
        said = "The host was leased, and quiet."
    else:
        said = f"The load was {load:.1f}. Its seconds support no claim about time: {'; '.join(timing['why_not'])}."
    return CONDITIONS.format(name=device["name"], cores=device["cores"], torch=device["torch"], timing=said)


if __name__ == "__main__":
    measured = [
        json.loads((root() / "reference" / f"{name}.json").read_text(encoding="utf-8")) for name in FILES
    ]
    (root() / "docs" / "real_runs.md").write_text(page(*measured), encoding="utf-8")
