"""What stands beside a figure, and the variables that figures with targets share."""

from collections.abc import Mapping
from dataclasses import dataclass

TARGETS = {"tuning": ("validation_metric", "best_learning_rate")}
TIMES = {"curves": ("test_metric", "seconds", "update"), **TARGETS}


@dataclass(frozen=True)
class About:
    """What stands beside a figure. read: how to read it, without any result; variables: per kind of file."""

    title: str
    read: str
    variables: Mapping[str, tuple[str, ...]]
    across: int = 0  # panels side by side; 0: by their number
    stacked: bool = False  # panels of unequal height, filling one column after the other
