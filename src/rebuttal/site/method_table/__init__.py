"""The table of docs/methods: every method side by side, on one small machine, read off its timelines.

`python -m rebuttal.site.method_table` writes it into docs/methods/README.md again; a test holds the file to it. The
words are those of the methods' files, the options those of their pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rebuttal.core.timeline import Timeline
from rebuttal.evidence import markdown_table
from rebuttal.figures.method_diagrams import diagram_of
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Link, Machine, Measured
from rebuttal.machines.stragglers import STRAGGLERS, NoStragglers
from rebuttal.methods import METHODS
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import layer_staleness, memory, progress, utilisation
from rebuttal.site.method_table.citations import sources_of, summary_of
from rebuttal.site.method_table.exactness import exactness

WORKERS, LAYERS, UPDATES = 4, 8, 32
FEW = 8  # updates that show in which order things are computed
MARKS = ("<!-- begin: python -m rebuttal.site.method_table -->\n", "<!-- end -->\n")
CHOSEN = "assumed: chosen so that it can be seen"
# A gradient takes a second, an all-reduce of all gradients 0.3 s, a set of weights to the server 0.2 s.
LINK = Link(latency_s=0.001, bandwidth_bytes_per_s=800.0, source=CHOSEN)
MACHINE = Machine(
    name="four equal workers",
    description="four equal workers, or four equal stages",
    worker_link=LINK,
    shard_link=replace(LINK, bandwidth_bytes_per_s=WORKERS * LINK.bandwidth_bytes_per_s),
    server_shards=1,
    stragglers=NoStragglers(),
    stragglers_source=CHOSEN,
    compute=Measured(source=CHOSEN),
)
UNEQUAL = replace(MACHINE, stragglers=STRAGGLERS["lognormal"])
BATCHES = (1, 16)  # a batch of so many samples takes that many times as long
COSTS = Costs(
    workload="none",
    parameters=5 * LAYERS,
    weight_bytes=20 * LAYERS,
    batch=1,
    training_size=1,
    layer_names=("layer",) * LAYERS,
    forward_s={size: (size / 24,) * LAYERS for size in BATCHES},
    backward_s={size: (size / 12,) * LAYERS for size in BATCHES},
    update_s=0.04,
    layer_parameters=(5,) * LAYERS,
    layer_outputs=(1,) * LAYERS,
)
#: Options whose clock, memory or staleness differ from the method's own row.
VARIANTS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "layer_wise_asynchronous": ({"lazy": True},),
    "pipedream": ({"vertical": True},),
    "continuous_propagation": ({"form": "recompute"}, {"form": "stash"}, {"mitigation": "prediction"}),
}
NUMBERS = (
    "mean", "max", "weights", "gradients", "activations", "messages", "memory", "sent per update", "batches per update",
    "s per update", "utilisation",
)  # fmt: skip
HEADINGS = (
    "method", "what is updated when, on which weights", "source", "values", "staleness, first … last layer", *NUMBERS,
)  # fmt: skip


@dataclass(frozen=True)
class MethodRow:
    """One method with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def cells(self) -> list[str]:
        """The row's cells, in the order of HEADINGS."""
        timeline, method = self.run(), METHODS[self.name]
        layer, stale = _staleness(timeline)
        given = ", ".join(f"{option} = {_text(value)}" for option, value in self.options.items())
        link = f"[`{self.name}`]({self.name}.md)"
        return [
            f"{link} {given}".strip(),
            summary_of(method),
            ", ".join(sources_of(method)),
            exactness(_run(self.name, self.options, FEW, UNEQUAL), _mini_batch),
            _range(layer, stale),
            f"{stale.mean():.1f}",
            f"{stale.max():.0f}",
            *_memory(timeline),
            *_rates(timeline),
        ]

    def run(self) -> Timeline:
        """The run that the row's numbers are read off; its values, off one with unequal workers."""
        return _run(self.name, self.options, UPDATES)


def rows() -> list[MethodRow]:
    """Every method with the options of its picture (or its defaults), and the variants that the table sets apart."""
    found = []
    for name in METHODS:
        options: dict[str, Any] = dict(diagram_of(name).options)
        found += [
            MethodRow(name, options),
            *(MethodRow(name, {**options, **extra}) for extra in VARIANTS.get(name, ())),
        ]
    return found


def written(page: str) -> str:
    """The page with the table of now between its marks."""
    table = markdown_table.table(HEADINGS, [row.cells() for row in rows()], NUMBERS)
    return markdown_table.between(page, *MARKS, table)


def _run(name: str, options: Mapping[str, Any], updates: int, machine: Machine = MACHINE) -> Timeline:
    given: dict[str, Any] = {"workload": "none", "workers": WORKERS, "batch": 1, "costs": COSTS}
    return simulate(name, options=dict(options), updates=updates, machine=machine, **given)


def _mini_batch(shards: int, updates: int) -> Timeline:
    return _run("mini_batch", {"shards": shards}, updates)


def _staleness(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    """Layer and staleness of each gradient that was used in the second half of the run.

    Of the forward or the backward pass, whichever is more.
    """
    rows = layer_staleness(timeline)
    late = rows["version"].values > UPDATES // 2
    stale = np.maximum(rows["forward_staleness"].values, rows["backward_staleness"].values)
    return rows["layer"].values[late], stale[late]


def _range(layer: np.ndarray, stale: np.ndarray) -> str:
    """The mean of the first and of the last layer; one number where the model is updated as one."""
    first, last = (_short(stale[layer == which].mean()) for which in (0, layer.max()))
    return first if layer.max() == 0 else f"{first} … {last}"


def _memory(timeline: Timeline) -> list[str]:
    """Peaks of the fullest node by kind, and of all together, in sets of weights."""
    found = memory(timeline, COSTS)
    totals = found["total_peak_bytes"].values
    fullest = int(np.argmax(totals))
    peaks = [*found["peak_bytes"].values[fullest].tolist(), totals[fullest]]
    return [f"{peak / COSTS.weight_bytes:.2f}" for peak in peaks]


def _rates(timeline: Timeline) -> list[str]:
    """Sets of weights sent, batches and seconds per update, in the second half of the run; and the utilisation."""
    found = progress(timeline)
    middle, updates = UPDATES // 2, UPDATES - UPDATES // 2
    begin_s, end_s = (float(found["seconds"][version]) for version in (middle, UPDATES))
    m, c = timeline.messages, timeline.computes
    sent = m["bytes"][(m["sent_s"] >= begin_s) & (m["sent_s"] < end_s)].sum()
    sent += c["bytes"][(c["start_s"] >= begin_s) & (c["start_s"] < end_s)].sum()
    batches = int(found["batches_applied"][UPDATES] - found["batches_applied"][middle])
    return [
        f"{sent / COSTS.weight_bytes / updates:.2f}",
        _short(batches / updates),
        f"{(end_s - begin_s) / updates:.2f}",
        f"{np.mean(list(utilisation(timeline).values())):.2f}",
    ]


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
