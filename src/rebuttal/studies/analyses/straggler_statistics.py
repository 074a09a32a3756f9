"""Order statistics of every straggler model, in closed form and simulated: no method takes part."""

from rebuttal.core.schemas import STRAGGLERS as SCHEMA
from rebuttal.machines import order_statistics
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.studies.analyses.analysis_record import Analysis

WORKERS = (8, 16, 32, 64, 100)  # 100 is the paper's
BACKUPS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 50, 64)
ITERATIONS = 20_000

ORDER_STATISTICS = Analysis(
    SCHEMA,
    lambda given: order_statistics.study(STRAGGLERS, WORKERS, BACKUPS, ITERATIONS, seed=given.grid.seeds[0]),
    origin=lambda *_: {},  # its seconds are multiples of a mean, whatever the profile,
)
