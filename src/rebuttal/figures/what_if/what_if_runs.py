"""Running a setting on the virtual clock, and counting what it learns from in a second. Both remember."""

from functools import lru_cache

import numpy as np

from rebuttal.core.timeline import Timeline
from rebuttal.figures.what_if.setting import Setting
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import gradients, joined_passes

MODEL = "chain of blocks"
FEW, MANY = 24, 128  # batches of a run: few where each leaves many traces, so that the answer comes at once
ROUNDS = 3  # of batches that every worker has at least
CHEAP = 500  # traces of a run of few batches: with no more than these, it is run for many
WARM_UP = 0.25  # the share of a pipeline's run in which it fills, and which is not counted
SEED = 0  # the same slowdowns whatever is turned, so that only what was turned makes a difference


@lru_cache(maxsize=256)
def run(setting: Setting) -> Timeline:
    """Its time line. Kept: what is turned back is there at once."""
    few = max(FEW, ROUNDS * setting.workers)
    timeline = _until(setting, few)
    traces = len(timeline.computes["node"]) + len(timeline.messages["tag"])
    return timeline if traces > CHEAP or few >= MANY else _until(setting, MANY)


@lru_cache(maxsize=256)
def batches_per_s(setting: Setting) -> float:
    """Different batches, in a second, whose gradients were not computed for nothing."""
    timeline = run(setting)
    table = gradients(timeline)
    begin_s = _warm_s(timeline) if _is_pipeline(timeline, table["node"].values) else 0.0
    counted = (table["end_s"].values > begin_s) & ~table["late"].values
    return len(_batches(timeline, table["value"].values[counted])) / (timeline.end_s - begin_s)


def _is_pipeline(timeline: Timeline, completing: np.ndarray) -> bool:
    """Whether batches pass from node to node, and so are all completed by the same few."""
    return len(set(completing.tolist())) < timeline.about["nodes"] - timeline.about["servers"]


def _warm_s(timeline: Timeline) -> float:
    """An update by which a pipeline has filled: counted from there, rounds are whole."""
    at_s = timeline.updates["time_s"]
    return float(at_s[min(np.searchsorted(at_s, WARM_UP * timeline.end_s), len(at_s) - 2)])


def _batches(timeline: Timeline, values: np.ndarray) -> set[tuple[float, float]]:
    """(shard, step) of the batches behind these gradients."""
    graph, staged = timeline.graph, joined_passes.batches(timeline.graph)
    found: set[tuple[float, float]] = set()
    for value in values.tolist():
        if graph.operations[value] == "gradient":
            numbers = graph.arguments[value]
            found.update(zip(numbers[::2], numbers[1::2], strict=True))
        elif (batch := staged[value]) is not None:
            found.add(batch)
    return found


def _until(setting: Setting, batches: int) -> Timeline:
    return simulate(
        setting.program,
        machine=setting.machine,
        workload=MODEL,
        workers=setting.workers,
        seed=SEED,
        batches=batches,
        batch=setting.batch,
        costs=setting.costs,
    )
