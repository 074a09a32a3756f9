"""Values from timelines: the numbers of a run are computed after its clock has been run.

`engine.replay` computes them batched, with the fastest executor; with `exact=True` one gradient at a time, equal to
the bit to `eager.eager`, which runs the method itself on tensors and is the oracle of both. What was run stage by
stage is first put in terms of the whole model where that can be done (`canonical`); the rest is computed by
`operations`. This package imports torch only with those modules.
"""
