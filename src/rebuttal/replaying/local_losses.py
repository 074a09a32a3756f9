"""The values of a stage's local losses: synthetic gradients, and a classifier at each stage.

Values, beside those of operations.py:

| of                                | is                                                                          |
|-----------------------------------|-----------------------------------------------------------------------------|
| `synthesizer`, `taught`           | (weights [M, F + 1 (+ C), F], Adam's two averages of that shape, its steps) |
| `classifier`                      | a state, with weights [M, (F + 1) C]                                        |
| `synthetic`, `local_delta`        | a δ                                                                         |
| `classifier_gradient`             | a gradient [M, (F + 1) C]                                                   |

F: activations of one sample, flattened. C: classes. A synthesizer predicts the gradient of one sample's loss, which is
n times its share in the batch's mean loss, so that it does not depend on the size of the batch. It learns by Adam
(Kingma & Ba 2015), as in a public implementation of synthetic gradients (koz4k/dni-pytorch): its targets shrink as the
model learns, and Adam's step does not depend on their scale. It has a rate of its own, whatever the model's is.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rebuttal.base.seeding import generator
from rebuttal.core.update_rules import Adam, State
from rebuttal.replaying.context import Context, Operation

Arguments = tuple[float, ...]
Synthesizer = State
LEARNER = Adam()


def _synthesizer(context: Context, _: Sequence[Any], arguments: Arguments) -> Synthesizer:
    (l, n), conditioned, shape = map(int, arguments[:2]), arguments[2], context.workload.shape
    shape.check_synthesizer(l, n)
    if conditioned:
        shape.check_classes()
    width = shape.width(l, n)
    inputs = width + 1 + (shape.classes if conditioned else 0)
    return LEARNER.start(context.starts.new_zeros(context.replicas, inputs, width))


def _synthetic(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor:
    c, h = inputs
    read = _read(context, c, h, arguments)
    return h.delta(torch.bmm(read, c[0]) / read.shape[1])


def _taught(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Synthesizer:
    """One step down (1/n) Σ ‖ĝ − g‖², g the gradient of one sample's loss."""
    (c, h, delta), rate = inputs, arguments[-1]
    read = _read(context, c, h, arguments)
    error = torch.bmm(read, c[0]) - h.flat_delta(delta) * read.shape[1]
    return LEARNER.step(c, torch.bmm(read.mT, error) * (2 / read.shape[1]), rate)


def _read(context: Context, c: Synthesizer, h: Any, arguments: Arguments) -> Tensor:
    """What a synthesizer reads, [M, n, F + 1 (+ C)]: activations, 1 and, if it has a place for them, classes."""
    flat = h.flat()
    read = [flat, flat.new_ones(*flat.shape[:2], 1)]
    if c[0].shape[1] > flat.shape[2] + 1:
        read.append(_one_hot(context, flat, arguments))
    return torch.cat(read, 2)


def _classifier(context: Context, _: Sequence[Any], arguments: Arguments) -> State:
    """Uniform in ±1/√F, as torch's linear layers are."""
    l, n = int(arguments[0]), int(arguments[1])
    shape = context.workload.shape
    shape.check_classes()
    width, classes = shape.width(l, n), shape.classes
    bound, count = 1 / math.sqrt(width), (width + 1) * classes
    rows = [generator(seed, "classifier", l, n).uniform(-bound, bound, count) for seed in context.seeds]
    drawn = torch.stack([torch.from_numpy(row) for row in rows]).float().to(context.starts)
    return context.rule.start(context.for_replicas(drawn))


def _local_delta(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor:
    (c, h), flat = inputs, inputs[1].flat()
    matrix, _ = _matrix(c, flat)
    return h.delta(torch.bmm(_logit_gradient(context, c, flat, arguments), matrix))


def _classifier_gradient(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor:
    flat = inputs[1].flat()
    above = _logit_gradient(context, inputs[0], flat, arguments)
    return torch.cat([torch.bmm(above.mT, flat).flatten(1), above.sum(1)], 1)


def _logit_gradient(context: Context, c: State, flat: Tensor, arguments: Arguments) -> Tensor:
    """Gradient [M, n, C] of the mean cross-entropy with respect to the classifier's outputs."""
    matrix, bias = _matrix(c, flat)
    shares = torch.softmax(torch.bmm(flat, matrix.mT) + bias.unsqueeze(1), 2)
    return (shares - _one_hot(context, flat, arguments)) / flat.shape[1]


def _matrix(c: State, flat: Tensor) -> tuple[Tensor, Tensor]:
    """The classifier's matrix [M, C, F] and bias [M, C]."""
    width = flat.shape[2]
    classes = c[0].shape[1] // (width + 1)
    matrix, bias = c[0].split([classes * width, classes], 1)
    return matrix.unflatten(1, (classes, width)), bias


def _one_hot(context: Context, flat: Tensor, arguments: Arguments) -> Tensor:
    """The classes [M, n, C] of a batch that arguments 2 and 3 name."""
    _, y = context.samples(int(arguments[2]), int(arguments[3]))
    return context.for_replicas(functional.one_hot(y, context.workload.shape.classes).to(flat.dtype))


LOCAL_OPERATIONS: dict[str, Operation] = {
    "synthesizer": _synthesizer,
    "synthetic": _synthetic,
    "taught": _taught,
    "classifier": _classifier,
    "local_delta": _local_delta,
    "classifier_gradient": _classifier_gradient,
}
