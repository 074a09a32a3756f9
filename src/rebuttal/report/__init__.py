"""Reports: what notebooks show in one-line cells, and the pages that are published from them.

`review("backup-workers")` is a paper's review, `overview()` the index. The pipeline's two commands are in
`rebuttal.report.site`, apart from these because they run notebooks, which what runs in a notebook need not import.
"""

from rebuttal.report.figure import Figure
from rebuttal.report.overview import Overview, overview
from rebuttal.report.review import Review, review

__all__ = ["Figure", "Overview", "Review", "overview", "review"]
