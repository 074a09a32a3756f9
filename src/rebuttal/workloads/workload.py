"""A workload: a model with flat weights, its data, loss, metric and target."""

import copy
import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from rebuttal.base import seeding
from rebuttal.core.division import Division, Law, base
from rebuttal.workloads.augmentation import FlipAndCrop
from rebuttal.workloads.batches import batch_indices
from rebuttal.workloads.initial_weights import starts_of
from rebuttal.workloads.model_layers import check_layers, overwriting
from rebuttal.workloads.parts import Layer, Objective, Target
from rebuttal.workloads.stage_shape import Shape
from rebuttal.workloads.torch_state import stated_torch

Split = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Workload:
    """A model with flat weights of length P, its data and how well it does on them.

    source: citation of the data and the model. parameters: P. layers: one for each child of `module()`, in
    order. tensors: name, shape and size of each parameter in flat order. splits: training, validation and
    test, each (x, y) with floating-point x [n, ...] and integers y, one for each sample or, in models of
    sequences, [n, T]. loss and metric map (outputs, y) to a mean scalar, losses to one value for each sample.
    template: the model whose parameters `predict` replaces. initial: draws a layer's start. augment: what is
    done to training samples, if anything. division: which of them each worker reads, if not all.
    """

    name: str
    source: str
    target: Target
    parameters: int
    layers: tuple[Layer, ...]
    tensors: tuple[tuple[str, tuple[int, ...], int], ...]
    splits: Mapping[str, Split]
    training_size: int
    loss: Callable[[Tensor, Tensor], Tensor]
    losses: Callable[[Tensor, Tensor], Tensor]
    metric: Callable[[Tensor, Tensor], Tensor]
    template: nn.Sequential
    initial: Callable[[Layer, torch.Generator], list[Tensor]]
    augment: FlipAndCrop | None = None
    division: Division | None = None

    @property
    def device(self) -> torch.device:
        """Where the data and the template are."""
        return self.splits["training"][0].device

    @functools.cached_property
    def shape(self) -> Shape:
        """Parameters and outputs of each layer, and how many classes a sample has."""
        x, y = self.splits["training"]
        x, outputs = x[:1], []
        with torch.no_grad():
            for layer in self.template:
                x = layer(x)
                outputs.append(x.numel())
        classes = int(y.max()) + 1 if y.dim() == 1 and int(y.min()) >= 0 else 0
        sizes = tuple(layer.parameters.stop - layer.parameters.start for layer in self.layers)
        return Shape(self.name, sizes, tuple(outputs), classes)

    def start(self, seed: int) -> Tensor:
        """Initial weights [P] of run `seed`, equal to the bit at every call and on every device.

        They are drawn on the CPU in float32 from a generator of their own: torch's global one is neither
        read nor moved.
        """
        generator = torch.Generator().manual_seed(seeding.entropy(seed, "start") % 2**63)
        with stated_torch():
            drawn = [tensor.flatten() for layer in self.layers for tensor in self.initial(layer, generator)]
        return torch.cat(drawn).to(self.splits["training"][0])

    def batches(self, batch: int, seed: int, shard: int, steps: int) -> np.ndarray:
        """Which training samples worker `shard` reads in run `seed`: int64 [steps, batch], for `samples`.

        Sample numbers (`batches.batch_indices`, of the worker's own samples where data are divided); with
        augmentation, each says what is done to the sample too.

        Raises:
            InputError: as `Division.part`.
        """
        if self.division is None:
            rows = batch_indices(self.training_size, batch, seed, shard, steps)
        else:
            part = self.division.part(seed, shard)
            rows = part[batch_indices(len(part), batch, seed, shard, steps)]
        if self.augment is None:
            return rows
        return rows * self.augment.kinds + self.augment.draws(batch, seed, shard, steps)

    def samples(self, rows: Tensor) -> Split:
        """The training samples x [..., sample], y [...] of what `batches` gave, augmented on the device."""
        x, y = self.splits["training"]
        if self.augment is None:
            return x[rows], y[rows]
        numbers = rows // self.augment.kinds
        return self.augment(x[numbers], rows % self.augment.kinds), y[numbers]

    def module(self, weights: Tensor | None = None) -> nn.Sequential:
        """A fresh model of ordinary torch layers with a copy of `weights` [P], of seed 0 by default."""
        model = copy.deepcopy(self.template)
        views = self.unflatten(self.start(0) if weights is None else weights)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(views[name])
        return model

    def unflatten(self, weights: Tensor) -> dict[str, Tensor]:
        """Views of the flat `weights` [P] under the names and in the shapes of the model's parameters."""
        parts = torch.split(weights, [size for _, _, size in self.tensors])
        return {name: part.view(shape) for (name, shape, _), part in zip(self.tensors, parts, strict=True)}

    def predict(self, weights: Tensor, x: Tensor) -> Tensor:
        """Outputs of the model with flat `weights` [P] on inputs x [n, ...]; differentiable, also under vmap."""
        return functional_call(self.template, self.unflatten(weights), (x,))

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> "Workload":
        """The same workload on another device, or in another floating-point type."""
        x, _ = self.splits["training"]
        device, dtype = device or x.device, dtype or x.dtype
        splits = {name: (x.to(device, dtype), y.to(device)) for name, (x, y) in self.splits.items()}
        return replace(self, splits=splits, template=copy.deepcopy(self.template).to(device, dtype))

    def divided(self, law: Law) -> "Workload":
        """The same workload, with its data divided among workers. Raises InputError as `Law.check`."""
        labels = self.splits["training"][1].cpu().numpy()
        classes = len(np.unique(labels)) if self.shape.classes else 0
        name = base(self.name)
        law.check(name, classes, len(labels))
        return replace(self, name=f"{name}{law}", division=Division(name, labels, law))

    def double(self) -> "Workload":
        """The same workload in float64; its start is the float32 one."""
        return self.to(dtype=torch.float64)


def assemble(  # noqa: PLR0913 - the parts of a workload, all by name
    name: str,
    *,
    source: str,
    target: Target,
    build: Callable[[], nn.Module],
    splits: Mapping[str, Split],
    objective: Objective,
    initial: Callable[[Layer, torch.Generator], list[Tensor]] | None = None,
    augment: FlipAndCrop | None = None,
    trained: bool = True,
) -> Workload:
    """A workload, with the layout of its flat weights read off the model that `build` makes.

    A model that is no nn.Sequential is one layer. Without `initial`, layers start as `starts_of` says for the modules
    that they consist of. trained: whether it is, and not only timed.

    Raises:
        InputError: a layer that cannot be trained here.
    """
    with torch.random.fork_rng(devices=[]):  # layers draw from torch's global generator when they are made
        template = _chain(build()).to(splits["training"][0].dtype)
    if trained:
        check_layers(template)
    tensors = tuple((key, tuple(value.shape), value.numel()) for key, value in template.named_parameters())
    return Workload(
        name=name,
        source=source,
        target=target,
        parameters=sum(size for _, _, size in tensors),
        layers=_layers(template),
        tensors=tensors,
        splits=splits,
        training_size=len(splits["training"][0]),
        loss=objective.loss,
        losses=objective.losses,
        metric=objective.metric,
        template=template,
        initial=initial or starts_of(template),
        augment=augment,
    )


def _chain(model: nn.Module) -> nn.Sequential:
    """The model as a chain in which nothing overwrites what others may hold: of its children, or of itself alone."""
    for layer in overwriting(model):
        layer.inplace = False  # pyright: ignore[reportArgumentType]
    return model if isinstance(model, nn.Sequential) else nn.Sequential(OrderedDict(model=model))


def _layers(model: nn.Sequential) -> tuple[Layer, ...]:
    """The children of a model with their parts of the flat vector."""
    layers, begin = [], 0
    for name, child in model.named_children():
        tensors = list(child.parameters())
        end = begin + sum(tensor.numel() for tensor in tensors)
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        layers.append(Layer(name, type(child).__name__.lower(), slice(begin, end), shapes))
        begin = end
    return tuple(layers)
