"""Writes every page of the project in the current folder, as many at a time as there are cores. Run as a script."""

import operator
from pathlib import Path

REVIEWS = ("backup-workers", "continuous-propagation", "layer-wise", "random-smoothing")


def main() -> list[Path]:
    """The pages that were written."""
    from rebuttal.report import site
    from rebuttal.studies.pool import run_all

    pages = [(site.write_review, paper) for paper in REVIEWS]
    pages += [(site.write_comparison, "comparison"), (site.write_machines,), (site.write_calibration,)]
    written = run_all(operator.call, pages, "pages")
    return [*written, *run_all(operator.call, [(site.write_measured,)], "ledger"), site.write_site()]


if __name__ == "__main__":
    main()
