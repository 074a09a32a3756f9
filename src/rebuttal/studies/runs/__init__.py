"""The runs of a study: simulated, tuned and trained, in units that one process computes each."""
