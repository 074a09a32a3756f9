"""Reports: what notebooks show in one-line cells, and the pages that are published from them.

`review("backup-workers")` is a paper's review, `compare("comparison")` all methods side by side, `machines()` the
analyses without training, `calibration()` the virtual clock against the real one, `overview()` the index;
`write_review`, `write_comparison`, `write_machines`, `write_calibration`, `write_measured` and `write_site` are the
pipeline's commands. Each name is fetched when it is first used: what runs
inside a notebook need not import what runs notebooks.
"""

import importlib
from typing import Any

#: Public name -> the module that has it.
WHERE = {
    "Figure": "rebuttal.report.figure",
    "Review": "rebuttal.report.paper_review",
    "review": "rebuttal.report.paper_review",
    "Comparison": "rebuttal.report.comparison",
    "compare": "rebuttal.report.comparison",
    "OnMachines": "rebuttal.report.on_machines",
    "machines": "rebuttal.report.on_machines",
    "special_cases": "rebuttal.report.special_cases",
    "OnCalibration": "rebuttal.report.on_calibration",
    "calibration": "rebuttal.report.on_calibration",
    "Overview": "rebuttal.report.site_index",
    "overview": "rebuttal.report.site_index",
    "execute": "rebuttal.execution",
    "write_calibration": "rebuttal.report.site",
    "write_comparison": "rebuttal.report.site",
    "write_machines": "rebuttal.report.site",
    "write_measured": "rebuttal.report.site",
    "write_review": "rebuttal.report.site",
    "write_site": "rebuttal.report.site",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal.report' has no attribute {name!r}")
    return getattr(importlib.import_module(WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(WHERE)
