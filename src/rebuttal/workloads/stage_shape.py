"""The shape of a workload before anything is loaded: its stages, and the sizes that local losses need. No torch."""

from dataclasses import dataclass

from rebuttal.base.errors import refuse
from rebuttal.core.partition import cut, groups

#: The most activations that a synthesizer reads: it is a matrix of as many rows and columns, and Adam keeps two more.
WIDEST = 4096


@dataclass(frozen=True)
class Shape:
    """A workload's layers, in order: parameters of each, and how many values it gives for one sample.

    classes: of a sample; 0 where a sample has no one class, as in models of sequences.
    """

    name: str
    parameters: tuple[int, ...]
    outputs: tuple[int, ...]
    classes: int

    @property
    def layers(self) -> int:
        """How many layers have parameters: the model can be cut into at most as many stages."""
        return len(groups(self.parameters))

    def width(self, l: int, n: int) -> int:
        """Values that stage l of n gives for one sample."""
        return self.outputs[cut(self.parameters, n)[l].stop - 1]

    def check_classes(self) -> None:
        """Refuse a local loss that tells classes apart, where there are none. Raises InputError."""
        if self.classes < 2:
            raise refuse(
                "workload", self.name, "one in which a sample has a class, which a local loss rests on"
            )

    def check_synthesizer(self, l: int, n: int) -> None:
        """Refuse a linear synthesizer that would not fit into memory. Raises InputError."""
        if (width := self.width(l, n)) > WIDEST:
            allowed = (
                f"one whose stages give at most {WIDEST} values to synthetic gradients; stage {l} of {n}"
            )
            raise refuse("workload", self.name, f"{allowed} gives {width}")
