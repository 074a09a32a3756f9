"""What a stage can learn from without waiting for the stages above: a synthetic gradient, or a loss of its own.

Letters as in task.py, and c for what is learnt beside the weights: a synthesizer, or the state of a classifier.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Derive = Callable[[str, tuple[Any, ...], tuple[float, ...]], Any]


@dataclass(frozen=True)
class LocalLoss:
    """The operations of stage l of n that have to do with a local loss; both learners read the stage's activations.

    `classifier` gives a state (weights and what the update rule keeps), which `Stage.update` updates.
    """

    derive: Derive = field(repr=False)
    l: int
    n: int

    def synthesizer(self, *, conditioned: bool) -> Any:
        """A linear map to δ, all zeros, of the flattened activations, 1 and, if `conditioned`, the one-hot class."""
        return self._derive("synthesizer", numbers=(float(conditioned),))

    def synthetic(self, c: Any, h: Any, shard: int, step: int) -> Any:
        """The synthesizer's δ at the stage's activations h of this batch."""
        return self._derive("synthetic", c, h, numbers=(float(shard), float(step)))

    def taught(self, c: Any, h: Any, delta: Any, shard: int, step: int, rate: float) -> Any:
        """The synthesizer after one step of Adam, of size `rate`, towards δ on the activations h of this batch."""
        return self._derive("taught", c, h, delta, numbers=(float(shard), float(step), float(rate)))

    def classifier(self) -> Any:
        """The initial state of a linear classifier of the flattened activations, drawn from the run's seed."""
        return self._derive("classifier")

    def local_delta(self, c: Any, h: Any, shard: int, step: int) -> Any:
        """δ at the activations h: the gradient of the classifier's mean cross-entropy on this batch."""
        return self._derive("local_delta", c, h, numbers=(float(shard), float(step)))

    def classifier_gradient(self, c: Any, h: Any, shard: int, step: int) -> Any:
        """The gradient of the same loss with respect to the classifier's weights."""
        return self._derive("classifier_gradient", c, h, numbers=(float(shard), float(step)))

    def _derive(self, operation: str, *inputs: Any, numbers: tuple[float, ...] = ()) -> Any:
        return self.derive(operation, inputs, (float(self.l), float(self.n), *numbers))
