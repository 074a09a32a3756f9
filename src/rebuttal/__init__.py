"""A workbench that answers, with measurements, what reviewers asked of papers on parallel deep-learning training.

    timeline = rebuttal.simulate("backup_workers", options={"b": 2}, machine="paper_cluster", workload="digits_mlp")
    rebuttal.summary(timeline)                                  # staleness, utilisation, seconds per update, ...
    curves = rebuttal.replay(timeline, learning_rates=[0.1])    # an xarray.Dataset
    rebuttal.chart(timeline); rebuttal.chart(curves)            # Altair charts

Importing this package imports nothing heavy: each name is fetched from its module when it is first used.
"""

import importlib
from typing import Any

#: Public name -> the module that has it.
WHERE = {
    "InputError": "rebuttal.errors",
    "METHODS": "rebuttal.methods",
    "MACHINES": "rebuttal.machines",
    "method": "rebuttal.methods",
    "simulate": "rebuttal.simulation",
    "Timeline": "rebuttal.timeline",
    "gradients": "rebuttal.readings",
    "progress": "rebuttal.readings",
    "summary": "rebuttal.readings",
    "utilisation": "rebuttal.readings",
    "gantt": "rebuttal.readings",
    "what_if": "rebuttal.predicting.prediction",
    "explore": "rebuttal.predicting.sliders",
    "write_trace": "rebuttal.tracing",
    "replay": "rebuttal.replaying.engine",
    "side_by_side": "rebuttal.stats.replays",
    "record": "rebuttal.processes.launcher",
    "verify": "rebuttal.processes.verification",
    "RunError": "rebuttal.errors",
    "chart": "rebuttal.charts",
    "load_curves": "rebuttal.results",
    "load_tuning": "rebuttal.results",
    "load_summaries": "rebuttal.results",
    "load_stragglers": "rebuttal.results",
    "compare": "rebuttal.report",
    "load_analysis": "rebuttal.results",
    "review": "rebuttal.report",
    "study": "rebuttal.studies.steps",
    "train": "rebuttal.studies.steps",
    "watch": "rebuttal.watching",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal' has no attribute {name!r}")
    value = getattr(importlib.import_module(WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(WHERE)
