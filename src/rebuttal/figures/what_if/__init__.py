"""What if? A method on a cluster that is described in a few numbers: its time line and the speed-up that they predict.

Nothing is trained and nothing was measured: a chain of equal blocks on a device with published figures, on the virtual
clock. `what_if` answers once, `explore` with sliders.
"""
