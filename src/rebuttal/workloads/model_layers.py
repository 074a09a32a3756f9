"""Layers that cannot be trained here as they are, found before a run begins: each is refused in one line, by its name.

Gradients over several batches are means of theirs, replicas are computed side by side, and a real run is computed again
to the bit. So samples do not meet, nothing is drawn in a forward pass, and weights are one flat vector.
"""

from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.parameter import UninitializedParameter

from rebuttal.base.errors import refuse

NORMALISED = (
    "GroupNorm or LayerNorm, whose statistics are of one sample: those of a batch differ on every worker"
)
NO_DRAWS = "a dropout of 0: another mask at each call could not be computed again"


def check_layers(model: nn.Module) -> None:
    """Refuse the first layer of a model that cannot be trained here. Raises InputError."""
    for name, layer in model.named_modules():
        allowed = _instead_of(layer)
        if allowed:
            raise refuse(called(name), type(layer).__name__, allowed)
    _check_parameters(model)


def called(name: str) -> str:
    """A layer's or a parameter's name for readers; a chain of one layer, the model itself, adds nothing to it."""
    return ".".join(["model", *filter(None, name.removeprefix("model").strip(".").split("."))])


def _instead_of(layer: nn.Module) -> str:
    """What is allowed in a layer's place; empty if it may stay."""
    if isinstance(layer, _BatchNorm):
        return NORMALISED
    if isinstance(layer, _InstanceNorm) and layer.track_running_stats:
        return "track_running_stats=False: statistics of all batches are no function of the weights"
    if isinstance(layer, _DropoutNd):
        return NO_DRAWS if layer.p else ""
    if isinstance(layer, nn.MultiheadAttention | nn.RNNBase):
        return NO_DRAWS if layer.dropout else ""
    return ""


def _check_parameters(model: nn.Module) -> None:
    first: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        key = called(name)
        if isinstance(parameter, UninitializedParameter):
            raise refuse(
                key, "a parameter without a shape", "layers with their sizes, none of torch's lazy ones"
            )
        if not parameter.requires_grad:
            raise refuse(
                key, "a parameter that is not trained", "a buffer (register_buffer) for what stays as it is"
            )
        if id(parameter) in first:
            raise refuse(
                key, f"the same weights as {first[id(parameter)]}", "weights of its own for each layer"
            )
        first[id(parameter)] = key


def overwriting(model: nn.Module) -> Iterator[nn.Module]:
    """The layers that write into what they are given."""
    return (layer for layer in model.modules() if getattr(layer, "inplace", False))
