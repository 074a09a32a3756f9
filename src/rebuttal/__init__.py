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
    "InputError": "rebuttal.base.errors",
    "METHODS": "rebuttal.methods",
    "MACHINES": "rebuttal.machines",
    "method": "rebuttal.methods",
    "simulate": "rebuttal.simulation.simulate",
    "Timeline": "rebuttal.core.timeline",
    "gradients": "rebuttal.simulation.timeline_metrics",
    "progress": "rebuttal.simulation.timeline_metrics",
    "summary": "rebuttal.simulation.timeline_metrics",
    "utilisation": "rebuttal.simulation.timeline_metrics",
    "gantt": "rebuttal.simulation.timeline_metrics",
    "what_if": "rebuttal.figures.what_if.prediction",
    "explore": "rebuttal.figures.what_if.sliders",
    "write_trace": "rebuttal.simulation.trace_events",
    "replay": "rebuttal.replaying.engine",
    "side_by_side": "rebuttal.evidence.replay_comparison",
    "record": "rebuttal.processes.launcher",
    "verify": "rebuttal.processes.verification",
    "RunError": "rebuttal.base.errors",
    "chart": "rebuttal.figures",
    "load_curves": "rebuttal.core.results",
    "load_tuning": "rebuttal.core.results",
    "load_summaries": "rebuttal.core.results",
    "load_stragglers": "rebuttal.core.results",
    "compare": "rebuttal.site",
    "load_analysis": "rebuttal.core.results",
    "review": "rebuttal.site",
    "study": "rebuttal.studies.runs.steps",
    "train": "rebuttal.studies.runs.steps",
    "watch": "rebuttal.studies.runs.watching",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal' has no attribute {name!r}")
    value = getattr(importlib.import_module(WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(WHERE)
