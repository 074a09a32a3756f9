"""What every command does before its own work."""

from collections.abc import Callable


def started(then: Callable) -> Callable:
    """`then`, once this process is tied to the one that started it, so that a killed pipeline leaves no orphan."""
    from rebuttal.base.parent_death import tie_to_parent

    tie_to_parent()
    return then
