"""What an operation may need beside its inputs, and what stage-wise operations hand to each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from rebuttal.core.update_rules import Rule
from rebuttal.replaying.rule_steps import check_step
from rebuttal.replaying.samples import Batches
from rebuttal.workloads.workload import Workload


class Record(Protocol):
    """Activations h with what the backward pass needs of them: the value of `input` and of `forward`.

    A δ is a tensor in the layout of the activations that it belongs to, whatever that is; the record of those
    activations translates. F: the activations of one sample, flattened.
    """

    def flat(self) -> Tensor:
        """The activations [M, n, F], not to be written to; of `input` [S, n, F], one for each seed."""
        ...

    def delta(self, flat: Tensor) -> Tensor:
        """The δ that is [M, n, F] when flat."""
        ...

    def flat_delta(self, delta: Tensor) -> Tensor:
        """A δ as [M, n, F], not to be written to."""
        ...


class Stages(Protocol):
    """The workload's model as a chain of stages, for M replicas at once; p are the parameters of a stage."""

    def part(self, l: int, n: int) -> slice:
        """What stage l of n holds of the flat weights [P]."""
        ...

    def input(self, x: Tensor) -> Record:
        """The record of samples x [S, n, ...]."""
        ...

    def forward(self, l: int, n: int, weights: Tensor, h: Any) -> Record:
        """The record of a stage's activations, at weights [M, p]."""
        ...

    def loss(self, h: Any, y: Tensor) -> Tensor:
        """δ at the outputs of the last stage for targets y [S, n]."""
        ...

    def backward(
        self,
        l: int,
        n: int,
        weights: Tensor,
        h: Any,
        delta: Tensor,
        *,
        below: bool,
        own: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        """(δ below, if asked for; gradient [M, p] of the stage's weights, if asked for). δ is left as it is."""
        ...


@dataclass(frozen=True)
class Context:
    """The replicas whose values are computed: M = S·R, S seeds outermost, R learning rates for each.

    learning_rates: [M, 1]. starts: initial weights [M, P]. kept: what operations keep between calls (they bound it).
    """

    workload: Workload
    rule: Rule
    learning_rates: Tensor
    seeds: Sequence[int]
    starts: Tensor
    batches: Batches
    stages: Stages
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def replicas(self) -> int:
        """M."""
        return len(self.learning_rates)

    def for_replicas(self, by_seed: Tensor) -> Tensor:
        """[S, ...] -> [M, ...]: what a seed has, for each of its learning rates."""
        return by_seed.repeat_interleave(self.replicas // len(self.seeds), 0)

    def samples(self, shard: int, step: int) -> tuple[Tensor, Tensor]:
        """(x [S, n, ...], y [S, n]) of a batch, augmented; `for_replicas` makes M of them."""
        return self.workload.samples(self.batches.at(shard, step))


Operation = Callable[[Context, Sequence[Any], tuple[float, ...]], Any]


def context_of(
    workload: Workload,
    rule: Rule,
    seeds: Sequence[int],
    learning_rates: Sequence[float],
    batches: Batches,
    stages: Stages,
) -> Context:
    """The context of all pairs of these seeds and learning rates. Raises InputError for a rule that cannot be used."""
    check_step(rule)
    starts = torch.stack([start for seed in seeds for start in [workload.start(seed)] * len(learning_rates)])
    rates = torch.tensor(learning_rates, dtype=starts.dtype, device=starts.device)
    return Context(workload, rule, rates.repeat(len(seeds)).unsqueeze(1), seeds, starts, batches, stages)
