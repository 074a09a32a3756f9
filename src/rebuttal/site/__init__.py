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
    "Figure": "rebuttal.site.figure",
    "Review": "rebuttal.site.paper_review",
    "review": "rebuttal.site.paper_review",
    "Comparison": "rebuttal.site.comparison",
    "compare": "rebuttal.site.comparison",
    "OnMachines": "rebuttal.site.on_machines",
    "machines": "rebuttal.site.on_machines",
    "special_cases": "rebuttal.site.special_cases",
    "OnCalibration": "rebuttal.site.on_calibration",
    "calibration": "rebuttal.site.on_calibration",
    "Overview": "rebuttal.site.site_index",
    "overview": "rebuttal.site.site_index",
    "execute": "rebuttal.studies.runs.notebook_execution",
    "write_calibration": "rebuttal.site.site_pages",
    "write_comparison": "rebuttal.site.site_pages",
    "write_machines": "rebuttal.site.site_pages",
    "write_measured": "rebuttal.site.site_pages",
    "write_review": "rebuttal.site.site_pages",
    "write_site": "rebuttal.site.site_pages",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal.site' has no attribute {name!r}")
    return getattr(importlib.import_module(WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(WHERE)
