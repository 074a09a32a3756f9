"""What a method may compute: a task, and the stages that its model can be cut into.

A task does not say what a value is. With symbols, its operations note what would be computed; with tensors, they
compute it. All that a cluster prices by the layer, and all that needs the data, the model or the learning rate, is an
operation here; what needs none of them is a function in `update_rules.py`.

Letters: l number of a stage, n how many stages the model is cut into, w a state (weights and what the update rule
keeps beside them) or the part of one that a stage holds, h activations, δ gradient with respect to activations.
"""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.base.seeding import generator
from rebuttal.core.stage_losses import Derive, LocalLoss


@dataclass
class Draws:
    """Whole numbers that depend on the seed of a run and on nothing else; `made`: how many were asked for."""

    seed: int = 0
    made: int = 0

    def below(self, limit: int, *key: int) -> int:
        """The number of this key, in [0, limit)."""
        self.made += 1
        return int(generator(self.seed, "method", *key).integers(limit))


@dataclass(frozen=True)
class Task:
    """Operations on the whole model.

    `derive(operation, inputs, arguments)` makes a value from values. `layer_bytes`: bytes on the wire of the gradient
    of each layer that has parameters, first to last; a model can be cut into at most as many stages.
    """

    derive: Derive = field(repr=False)
    layer_bytes: tuple[int, ...] = (0,)
    draws: Draws = field(default_factory=Draws)

    def drawn(self, limit: int, *key: int) -> int:
        """A whole number in [0, limit), drawn from the run's seed: the same for whoever asks for it, on every cluster.

        key: numbers that say which, such as a node and an iteration. A method that asks has `draws: ClassVar = True`.
        Raises InputError for a limit that is no whole number >= 1.
        """
        if not (isinstance(limit, int) and limit >= 1):
            raise refuse("drawn", limit, "a whole number >= 1: one more than the largest to draw")
        return self.draws.below(limit, *key)

    @property
    def layers(self) -> int:
        """How many layers have parameters."""
        return len(self.layer_bytes)

    def stage(self, l: int, n: int) -> "Stage":
        """Stage l of the model cut into n consecutive stages of about equally many layers with parameters."""
        if not 1 <= n <= self.layers:
            raise refuse(
                "workers", n, f"from 1 to {self.layers}, the layers that have parameters: one stage each"
            )
        return Stage(self, l, n)

    def stages(self, n: int) -> list["Stage"]:
        """All n stages, first to last."""
        return [self.stage(l, n) for l in range(n)]

    def start(self) -> Any:
        """The initial state: the weights and whatever the update rule keeps beside them."""
        return self.derive("start", (), ())

    def gradient(self, state: Any, *batches: tuple[int, int]) -> Any:
        """The mean gradient at the state's weights over the named batches, each a (shard, step)."""
        return self.derive("gradient", (state,), _flat(batches))

    def update(self, state: Any, gradient: Any) -> Any:
        """The state after one step of the update rule with this gradient; of whole states or of parts alike."""
        return self.derive("update", (state, gradient), ())

    def joined(self, *parts: Any) -> Any:
        """The whole of which these are all the parts, first to last: of states or of gradients."""
        return parts[0] if len(parts) == 1 else self.derive("joined", parts, ())

    def perturbed(self, state: Any, gamma: float, t: int, k: int) -> Any:
        """The state with weights w + γ X_{t,k}, X standard normal: the same for all who ask for the same t and k."""
        return self.derive("perturbed", (state,), (float(gamma), float(t), float(k)))

    def predicted(self, state: Any, delay: int) -> Any:
        """The state with weights ŵ = w − η D v, where the momentum v will have taken them in D updates."""
        return self.derive("predicted", (state,), (float(delay),))

    def compensated_update(self, state: Any, gradient: Any, delay: int) -> Any:
        """As `update` with momentum, w ← w − η (a v + b g), a = m^D, b = (1 − m^D)/(1 − m), v ← m v + g."""
        return self.derive("compensated_update", (state, gradient), (float(delay),))


@dataclass(frozen=True)
class Stage:
    """Stage l of n: its share of the model's layers, weights and gradients.

    The stage below is l − 1; the first one takes the data, the last one gives the outputs.
    """

    task: Task = field(repr=False)
    l: int
    n: int

    @property
    def is_first(self) -> bool:
        """Whether the data come in here."""
        return self.l == 0

    @property
    def is_last(self) -> bool:
        """Whether the loss is computed here."""
        return self.l == self.n - 1

    @property
    def local(self) -> LocalLoss:
        """What the stage can do with a synthetic gradient or a loss of its own."""
        return LocalLoss(self.task.derive, self.l, self.n)

    def part(self, whole: Any) -> Any:
        """This stage's part of a state or a gradient."""
        return whole if self.n == 1 else self._derive("part", whole)

    def start(self) -> Any:
        """This stage's part of the initial state."""
        return self.part(self.task.start())

    def input(self, shard: int, step: int) -> Any:
        """The samples of one batch, as the first stage's h."""
        return self.task.derive("input", (), (float(shard), float(step)))

    def forward(self, w: Any, h: Any) -> Any:
        """The stage's activations for the activations below, with what the backward pass needs of them."""
        return self._derive("forward", w, h)

    def loss(self, h: Any, shard: int, step: int) -> Any:
        """δ at the outputs: the gradient of the batch's mean loss with respect to the last stage's h."""
        return self._derive("loss", h, numbers=(float(shard), float(step)))

    def backward(self, w: Any, h: Any, delta: Any) -> tuple[Any, Any]:
        """(δ for the stage below, gradient of the stage's weights), of one pass.

        h is what `forward` gave. Weights w other than those of the forward pass mix: the stored activations with
        the Jacobians at w.
        """
        return self._derive("input_gradient", w, h, delta), self._derive("weight_gradient", w, h, delta)

    def input_gradient(self, w: Any, h: Any, delta: Any) -> Any:
        """The first half of `backward` alone: δ for the stage below."""
        return self._derive("input_gradient", w, h, delta)

    def weight_gradient(self, w: Any, h: Any, delta: Any) -> Any:
        """The second half of `backward` alone: the gradient of the stage's weights."""
        return self._derive("weight_gradient", w, h, delta)

    def update(self, w: Any, gradient: Any) -> Any:
        """This stage's part of the state after one step of the update rule."""
        return self.task.update(w, gradient)

    def perturbed(self, w: Any, gamma: float, t: int, k: int) -> Any:
        """This stage's part of `Task.perturbed`."""
        return self._derive("perturbed_part", w, numbers=(float(gamma), float(t), float(k)))

    def predicted(self, w: Any, delay: int) -> Any:
        """This stage's part of `Task.predicted`."""
        return self.task.predicted(w, delay)

    def compensated_update(self, w: Any, gradient: Any, delay: int) -> Any:
        """This stage's part of `Task.compensated_update`."""
        return self.task.compensated_update(w, gradient, delay)

    def _derive(self, operation: str, *inputs: Any, numbers: tuple[float, ...] = ()) -> Any:
        return self.task.derive(operation, inputs, (float(self.l), float(self.n), *numbers))


def _flat(batches: tuple[tuple[int, int], ...]) -> tuple[float, ...]:
    return tuple(map(float, chain.from_iterable(batches)))
