"""The cost of a full-size model on a device that is not here, from its layers' sizes and the device's figures.

A pass of one layer over b samples of F operations each, in k products, takes

    max( (b F + k H) / (e · peak),  bytes / memory bandwidth ) + k · launch

The first term says that a product of W = b F / k operations reaches the share e W / (W + H) of the peak: it grows with
the batch, saturates at the efficiency e and is half of it at W = H (assumed: the usual shape; H, e are the device's).
The second is the roofline's slope (Williams, Waterman & Patterson 2009): weights once, and what every sample's pass
reads and writes. A backward pass moves twice the bytes in twice the products, for δ and for the weights' gradient.
Numbers are float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from rebuttal.base.errors import InputError, refuse
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Machine, Scaled

BYTES = 4  # of a number
IMAGENET = 1_281_167  # training images of ILSVRC 2012
UPDATE_PASSES = 5  # momentum reads weight, gradient and velocity, and writes weight and velocity
MOST_BATCHES = 1024  # that a node is priced for at once
BACKWARD = 2  # a backward pass has two passes, for δ and for the gradient
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class FullSizeLayer:
    """One layer of a chain, or one block of a network; sizes are for one sample.

    kind: what it is, 'linear' for a fully connected layer. outputs: values that go to the next layer. saved: values
    that it adds to those kept for the backward pass. forward_flops, backward_flops: of products and convolutions, a
    multiplication with its addition counting as two. products: how many of these follow each other, at least 1.
    auxiliary: a classifier beside the chain, which exists in training only.
    """

    layer: str
    kind: str
    parameters: Count
    outputs: Count
    saved: Count
    forward_flops: Count
    backward_flops: Count
    products: Annotated[int, Field(ge=1)] = 1
    auxiliary: bool = False


class _Catalogued(BaseModel):
    """A model in a catalogue file; what else is known of it is not needed here."""

    layers: Annotated[list[FullSizeLayer], Field(min_length=1)]


def read_models(path: str | Path, auxiliary: bool = False) -> dict[str, tuple[FullSizeLayer, ...]]:
    """The layers of every model in a catalogue file: {model: {"layers": [row, ...]}}, rows as `FullSizeLayer`.

    Raises:
        InputError: one line that names the file, and the key that is wrong with it.
    """
    if not Path(path).is_file():
        raise refuse("catalogue of models", str(path), "an existing file")
    try:
        found = TypeAdapter(dict[str, _Catalogued]).validate_json(Path(path).read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "content"
        raise InputError(f"catalogue {path}: {key}: {first['msg']}") from error
    return {
        name: tuple(layer for layer in model.layers if auxiliary or not layer.auxiliary)
        for name, model in found.items()
    }


def pass_s(device: Scaled, flops: float, moved_bytes: float, products: int = 1) -> float:
    """Seconds of one pass of so many operations in all and so many bytes."""
    filling = products * device.half_flops if flops else 0.0
    computing_s = (flops + filling) / (device.efficiency * device.flops_per_s)
    return max(computing_s, moved_bytes / device.memory_bytes_per_s) + products * device.launch_s


def layers_s(
    layers: Sequence[FullSizeLayer], device: Scaled, samples: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Forward and backward seconds of each layer over so many samples."""
    inputs = [layers[0].outputs, *(layer.outputs for layer in layers[:-1])]
    moved = [
        BYTES * (layer.parameters + samples * _moved_values(layer, given))
        for layer, given in zip(layers, inputs, strict=True)
    ]
    passes = list(zip(layers, moved, strict=True))
    forward_s = tuple(pass_s(device, samples * x.forward_flops, size, x.products) for x, size in passes)
    backward_s = tuple(
        pass_s(device, samples * x.backward_flops, BACKWARD * size, BACKWARD * x.products)
        for x, size in passes
    )
    return forward_s, backward_s


def _moved_values(layer: FullSizeLayer, inputs: int) -> int:
    """Read: what is kept, its inputs at least. Written: its outputs, and what is kept of its inside."""
    return max(layer.saved, inputs) + layer.outputs + max(0, layer.saved - inputs)


@dataclass(frozen=True)
class ScaledCosts(Costs):
    """Costs that were not measured but computed, for this device."""

    device: Scaled | None = None
    layer_saved: tuple[int, ...] = ()

    def stage_saved(self, l: int, n: int) -> int:
        """As counted: what a backward pass needs of each layer and no layer below it keeps, so that stages add up."""
        return sum(self.layer_saved[layer] for layer in self.stages(n)[l])


def scaled_costs(
    layers: Sequence[FullSizeLayer],
    device: Scaled,
    batch: int,
    model: str = "scaled",
    training_size: int = IMAGENET,
) -> ScaledCosts:
    """The costs of a model on a device, for the virtual clock: what `rebuttal profile` measures, computed.

    They hold for 1 to 1024 batches on a node. Between powers of two, where the limit of a layer changes from memory
    to arithmetic, they are interpolated.

    Raises:
        InputError: no layers, no parameters, or a batch below 1.
    """
    parameters = sum(layer.parameters for layer in layers)
    if not parameters:
        raise refuse(f"layers of {model}", len(layers), "at least one, and one that has parameters")
    if batch < 1:
        raise refuse("batch", batch, "a whole number >= 1")
    counts = [2**power for power in range(MOST_BATCHES.bit_length())]
    passes = {batch * count: layers_s(layers, device, batch * count) for count in counts}
    return ScaledCosts(
        workload=model,
        parameters=parameters,
        weight_bytes=BYTES * parameters,
        batch=batch,
        training_size=training_size,
        layer_names=tuple(layer.layer for layer in layers),
        forward_s={samples: forward_s for samples, (forward_s, _) in passes.items()},
        backward_s={samples: backward_s for samples, (_, backward_s) in passes.items()},
        update_s=UPDATE_PASSES * BYTES * parameters / device.memory_bytes_per_s + device.launch_s,
        layer_parameters=tuple(layer.parameters for layer in layers),
        layer_outputs=tuple(layer.outputs for layer in layers),
        device=device,
        layer_saved=tuple(layer.saved for layer in layers),
    )


def costs_on(
    layers: Sequence[FullSizeLayer], machine: Machine, batch: int, model: str = "scaled"
) -> ScaledCosts:
    """As `scaled_costs`, on a machine's device; raises InputError if its costs are not scaled from figures."""
    if not isinstance(machine.compute, Scaled):
        allowed = "one whose compute is Scaled: dataclasses.replace(machine, compute=processors.H100), say"
        raise refuse(f"machine {machine.name} for {model}", machine.clock_is, allowed)
    return scaled_costs(layers, machine.compute, batch, model)


def without_fully_connected(layers: Sequence[FullSizeLayer]) -> list[FullSizeLayer]:
    """The layers that are not fully connected: the model as if its convolutions were all of it."""
    return [layer for layer in layers if layer.kind != "linear"]
