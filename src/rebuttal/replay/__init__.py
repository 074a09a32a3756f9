"""Values from timelines: the numbers of a run are computed after its clock has been run.

`replay` computes them batched, with the fastest executor; `replay(exact=True)` one gradient at a time, equal to the
bit to `eager`, which runs the method itself on tensors and is the oracle of both.
"""

from rebuttal.replay.eager import eager
from rebuttal.replay.engine import Replayer, replay

__all__ = ["Replayer", "eager", "replay"]
