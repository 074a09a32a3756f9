"""How many more samples reach the weights in a second than with one worker alone."""

import contextlib
from dataclasses import replace

from rebuttal.base.errors import InputError
from rebuttal.figures.what_if.setting import Setting
from rebuttal.figures.what_if.what_if_runs import batches_per_s

COUNTS = (1, 2, 4, 8, 16)  # of workers, for a curve
BASELINE, ALONE = "all_reduce", "mini_batch"


def speedup(setting: Setting) -> float:
    """Over one worker alone, on the same device with the same stragglers."""
    return batches_per_s(setting) / batches_per_s(replace(setting, method=ALONE, workers=1, options=()))


def curve(setting: Setting) -> dict[int, float]:
    """Number of workers -> speed-up, at the setting's own number and at COUNTS.

    A number that the method cannot run with has no point.
    """
    found = {}
    for count in sorted({*COUNTS, setting.workers}):
        with contextlib.suppress(InputError):
            found[count] = speedup(replace(setting, workers=count))
    return found


def curves(setting: Setting) -> dict[str, dict[int, float]]:
    """Method -> `curve`, of this method and of one all-reduce of the whole gradient for each update."""
    return {setting.name: curve(setting), BASELINE: curve(replace(setting, method=BASELINE, options=()))}
