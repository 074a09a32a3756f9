"""What this host costs a method: operations, requests, messages and memory, measured inside real processes.

Every figure comes from the record of a probe that ran on as many processes as the runs that it is to predict.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rebuttal.core.timeline import Timeline
from rebuttal.processes.launcher import record
from rebuttal.studies.calibration.probes import Exchange, Memory, Operations, Relay
from rebuttal.studies.calibration.spans import TURNS, Key, any_gap_s, gap_s, lasting_s, operations, round_s
from rebuttal.workloads.stage_shape import Shape

Cores = tuple[int, ...]
PACE_S = 2e-3  # what a wait is longer than a gradient, in the probe of how long waiting lasts
WHOLE = ("gradient", 0, 1)


@dataclass(frozen=True)
class Line:
    """Seconds of something of a size: fixed_s + bytes times byte_s."""

    fixed_s: float
    byte_s: float

    def __call__(self, size_bytes: float) -> float:
        """Seconds for so many bytes."""
        return self.fixed_s + size_bytes * self.byte_s

    def less(self, other: "Line", times: int = 1) -> "Line":
        """What is left of it without another, at least nothing."""
        return Line(
            max(0.0, self.fixed_s - times * other.fixed_s), max(0.0, self.byte_s - times * other.byte_s)
        )

    @staticmethod
    def through(small: tuple[float, float], large: tuple[float, float]) -> "Line":
        """Through two points (bytes, seconds), neither part below nothing."""
        (low, low_s), (high, high_s) = small, large
        byte_s = max(0.0, (high_s - low_s) / (high - low))
        return Line(max(0.0, low_s - byte_s * low), byte_s)


@dataclass(frozen=True)
class Host:
    """What `nodes` processes on this host cost each other, for one workload and batch.

    operation_s: median seconds of each operation while all processes compute. request_s: of a request, beside what it
    asks for. sending: how long a message holds its sender. hop: from the sending of a message to the next computation
    of a receiver that waited for it, with what that computation is slower for having waited. exchange: an all-reduce
    between computations, in all; reducing: its sum alone. reading, writing: of a cell. oversleep_s: by how much an
    injected wait is too long.
    """

    nodes: int
    workload: str
    batch: int
    shape: Shape
    cores: Cores
    operation_s: Mapping[Key, float]
    request_s: float
    oversleep_s: float
    sending: Line
    hop: Line
    exchange: Line
    reducing: Line
    reading: Line
    writing: Line


Probing = Callable[..., Timeline]  # (probe, updates=…, workers=…, pace_s=…) -> its record


def measure(nodes: int, workload: str, batch: int, shape: Shape, cores: Cores = (), rounds: int = 16) -> Host:
    """The costs of this host, now, on these cores. Raises what `record` does."""
    given = {"workload": workload, "batch": batch, "cores": cores, "checksums_every": TURNS * rounds + 1}
    return read(functools.partial(record, **given), nodes, workload, batch, shape, rounds, cores)


def read(
    probing: Probing, nodes: int, workload: str, batch: int, shape: Shape, rounds: int, cores: Cores = ()
) -> Host:
    """The costs that the records of all probes show; `probing` runs one of them."""
    cuts = tuple(sorted({cut for cut in (2, nodes, shape.layers) if 1 < cut <= shape.layers}))
    worked = probing(Operations(cuts=cuts), workers=nodes, updates=rounds)
    operation_s, request_s = operations(worked), any_gap_s(worked)
    pace_s = PACE_S + operation_s[WHOLE]
    slept = probing("mini_batch", workers=1, updates=rounds, pace_s=pace_s)
    relayed, exchanged, kept = (
        probing(probe, workers=nodes, updates=TURNS * rounds) for probe in (Relay(), Exchange(), Memory())
    )
    small, large = (
        _messages(relayed, exchanged, kept, turn, operation_s[WHOLE], request_s) for turn in range(TURNS)
    )
    lines = {name: Line.through(small[name], large[name]) for name in small}
    oversleep_s = max(0.0, operations(slept)[WHOLE] - pace_s)
    return Host(nodes, workload, batch, shape, cores, operation_s, request_s, oversleep_s, **lines)


def _messages(
    relayed: Timeline, exchanged: Timeline, kept: Timeline, turn: int, gradient_s: float, request_s: float
) -> dict[str, tuple[float, float]]:
    """(bytes, seconds) of what is done with the messages of one turn; the probes' own gradients are taken off.

    Half of a relay's messages are small and half are large, so the quartiles of their bytes are those of each turn.
    Each request of a probe costs what any costs, so that is taken off as often as a round, or a gap, has one.
    """
    size = float(np.quantile(relayed.messages["bytes"], (0.25, 0.75)[turn]))
    seconds = {
        "sending": gap_s(relayed, "gradient", turn) - 2 * request_s,
        "hop": (round_s(relayed, turn) - request_s) / 2 - gradient_s - 2 * request_s,
        "exchange": round_s(exchanged, turn) - gradient_s - 3 * request_s,
        "reducing": lasting_s(exchanged, "mean", turn),
        "writing": gap_s(kept, "predicted", turn) - 2 * request_s,
        "reading": gap_s(kept, "moved", turn) - 3 * request_s,
    }
    return {name: (size, max(0.0, found)) for name, found in seconds.items()}
