"""What serves gradients, and whole orders in one call, by compiled code: one replica at a time, all of it in the cache.

The code is compiled when it is first used, once for each floating-point type, and kept.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rebuttal.core.graph import Order
from rebuttal.core.update_rules import Rule
from rebuttal.replaying.compiled.layer_chain import chain_of
from rebuttal.replaying.compiled.order_tape import Tape, serves, tape_of
from rebuttal.replaying.samples import Batches, steps_of
from rebuttal.workloads.workload import Split, Workload

Observe = Callable[[int, dict[str, np.ndarray], np.ndarray], bool]


class Compiled:
    """Gradients by compiled code, for models that are chains of layers which it knows. Raises UnsupportedError."""

    name = "compiled"

    def __init__(self, workload: Workload) -> None:
        self.chain = chain_of(workload)
        self._dtype = np.dtype(str(workload.splits["training"][0].dtype).removeprefix("torch."))

    @functools.cached_property
    def work(self) -> tuple[np.ndarray, ...]:
        """Buffers that all passes share; numpy's BLAS works on one thread from now on, as torch does in a replay."""
        import scipy.linalg.cython_blas  # noqa: F401, PLC0415 - what compiled products call
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - reads what is loaded by now

        threadpool_limits(1, user_api="blas")
        return self.chain.workspace(self._dtype)

    def gradients(self, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """As `executors.Executor` says."""
        from rebuttal.replaying.compiled.passes import gradients  # noqa: PLC0415 - brings numba

        out = torch.empty(weights.shape, dtype=weights.dtype)
        given = (weights.contiguous(), x.flatten(2).contiguous(), y.contiguous())
        gradients(
            self.chain.layers, self.chain.lowest, *(each.numpy() for each in given), self.work, out.numpy()
        )
        return out


@dataclass(frozen=True)
class WholeOrders:
    """Orders of a workload, computed whole: gradients, updates and the scores of these splits in one call."""

    workload: Workload
    executor: Compiled
    splits: Mapping[str, Split]

    def serves(self, order: Order, rule: Rule) -> bool:
        """Whether all that the order asks for is there."""
        return serves(order, rule)

    def run(
        self,
        order: Order,
        rule: Any,
        seeds: Sequence[int],
        learning_rates: Sequence[float],
        versions: Sequence[int],
        *,
        batch: int,
        observe: Observe,
    ) -> None:
        """Compute all replicas, then report versions in order, until `observe` answers False.

        observe: takes a version, its scores '<split>_<what>' [M], and whether the weights are finite [M].
        """
        tape = tape_of(order, rule, versions)
        found = self._found(
            tape, rule, seeds, learning_rates, self._rows(order, tape, seeds, batch), len(versions)
        )
        names = [f"{split}_{what}" for split in self.splits for what in ("loss", "metric")]
        for point, version in enumerate(versions):
            columns = found[:, point]
            scores = {name: columns[:, at] for at, name in enumerate(names)}
            if not observe(version, scores, columns[:, -1] == 1):
                return

    def _found(
        self,
        tape: Tape,
        rule: Any,
        seeds: Sequence[int],
        learning_rates: Sequence[float],
        rows: np.ndarray,
        points: int,
    ) -> np.ndarray:
        """What is observed of each replica, [M, points, 2 splits + 1]."""
        from rebuttal.replaying.compiled.tape_code import run  # noqa: PLC0415 - brings numba

        chain, work = self.executor.chain, self.executor.work
        x, y = _flat(self.workload.splits["training"])
        kind = x.dtype.type
        momentum = getattr(rule, "momentum", None)
        constants = np.asarray([momentum or 0.0, rule.weight_decay], dtype=kind)
        slots = np.empty((tape.slots, 1 if momentum is None else 2, chain.parameters), dtype=kind)
        found = np.empty((len(seeds), len(learning_rates), points, 2 * len(self.splits) + 1))
        steps = (tape.steps, tape.inputs, tape.numbers.astype(kind))
        for s, seed in enumerate(seeds):
            start = self.workload.start(seed).numpy()
            for r, rate in enumerate(learning_rates):
                run((chain.layers, chain.lowest), steps, (x, y, rows[s]), self._laid_out, start, kind(rate),
                    constants, work, slots, found[s, r])  # fmt: skip
        return found.reshape(-1, *found.shape[2:])

    def _rows(self, order: Order, tape: Tape, seeds: Sequence[int], batch: int) -> np.ndarray:
        """The samples of each batch of the tape, [S, batches, n]."""
        batches = Batches(self.workload, seeds, batch, steps_of(order))
        return torch.stack([batches.at(*pair) for pair in tape.batches], 1).numpy()

    @functools.cached_property
    def _laid_out(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(x, y, ends) of all splits end to end: as many samples as a pass takes stand together, samples last."""
        flat = [_flat(split) for split in self.splits.values()]
        step = self.executor.chain.at_once
        blocks = [x[at : at + step].T.ravel() for x, _ in flat for at in range(0, len(x), step)]
        ends = np.cumsum([0, *(len(y) for _, y in flat)])
        return np.concatenate(blocks), np.concatenate([y for _, y in flat]), ends


def _flat(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """(x [N, F], y [N]) of a split."""
    return split[0].flatten(1).contiguous().numpy(), split[1].numpy()
