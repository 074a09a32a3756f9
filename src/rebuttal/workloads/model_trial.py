"""A workload of a user's own, tried on a few samples before a run begins: what fails is told by the layer's name."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from rebuttal.base.errors import InputError, refuse
from rebuttal.workloads.model_layers import called
from rebuttal.workloads.workload import Workload

TRIED = 3  # samples
FITTING = (
    "layers that take what they are given; symbols come as floating-point numbers, which x.long() makes whole"
)
A_MEAN = "a mean over the samples"
NEAR = 1e-3  # what other sums may make of one sample's outputs, relative to the largest


def try_model(workload: Workload) -> None:
    """Refuse a model that fails, draws, mixes samples or has weights without a gradient. Raises InputError."""
    x, y = (part[:TRIED] for part in workload.splits["training"])
    model = workload.module()
    with torch.random.fork_rng(devices=[]):
        outputs = _outputs(model, x)
        _check_outputs(model, x, outputs)
        _check_gradient(workload, model, outputs, y)


def _outputs(model: nn.Module, x: Tensor) -> Tensor:
    entered: list[str] = []
    with _followed(model, entered):
        try:
            outputs = model(x)
        except Exception as error:
            given, why = f"samples {list(x.shape)} of {x.dtype}", _in_a_line(error)
            raise InputError(
                f"{entered[-1]}: got {given}, on which it fails with {why}; allowed: {FITTING}"
            ) from error
    if not isinstance(outputs, Tensor):
        raise refuse(
            "model", f"outputs that are a {type(outputs).__name__}", "a tensor with a row for each sample"
        )
    return outputs


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


@contextlib.contextmanager
def _followed(model: nn.Module, entered: list[str]) -> Iterator[None]:
    """Note the names of the layers that were entered and not left."""

    def enter(name: str) -> Any:
        return lambda *_: entered.append(name)

    handles = []
    for name, layer in model.named_modules():
        handles.append(layer.register_forward_pre_hook(enter(called(name))))
        handles.append(layer.register_forward_hook(lambda *_: entered.pop() and None))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _check_outputs(model: nn.Module, x: Tensor, outputs: Tensor) -> None:
    with torch.no_grad():
        again, alone = model(x), model(x[:1])
    if not torch.equal(again, outputs):
        raise refuse(
            "model", "two outputs for the same samples", "nothing drawn or kept in a forward pass: no dropout"
        )
    largest = float(outputs.detach().abs().max())
    if alone.shape != outputs[:1].shape or not torch.allclose(
        alone, outputs[:1], rtol=NEAR, atol=NEAR * largest
    ):
        allowed = (
            "a row of outputs for each sample that depends on that sample alone: no statistics over a batch"
        )
        raise refuse("model", "outputs of a sample that depend on the others", allowed)


def _check_gradient(workload: Workload, model: nn.Module, outputs: Tensor, y: Tensor) -> None:
    try:
        loss = workload.loss(outputs, y)
        found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    except Exception as error:
        given, why = f"outputs {list(outputs.shape)} and targets {list(y.shape)}", _in_a_line(error)
        raise InputError(f"loss: got {given}, on which it fails with {why}; allowed: {A_MEAN}") from error
    for (name, _), gradient in zip(model.named_parameters(), found, strict=True):
        if gradient is None:
            raise refuse(called(name), "weights that the loss does not rest on", "layers that are used")
