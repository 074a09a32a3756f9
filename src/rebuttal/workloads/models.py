"""The networks of the workloads, in ordinary torch layers, with their loss, metric and initialisation."""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from rebuttal.workloads.parts import Layer, Objective


def digits_mlp() -> nn.Sequential:
    """64-128-10 with ReLU, for inputs [n, 64]."""
    return nn.Sequential(
        OrderedDict(linear1=nn.Linear(64, 128), relu1=nn.ReLU(), linear2=nn.Linear(128, 10)),
    )


def digits_deep() -> nn.Sequential:
    """Eight linear layers, 64-48-...-48-10 with ReLU, for inputs [n, 64]: deep enough to be cut into stages."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(linear1=nn.Linear(64, 48), relu1=nn.ReLU())
    for number in range(2, 8):
        layers[f"linear{number}"], layers[f"relu{number}"] = nn.Linear(48, 48), nn.ReLU()
    layers["linear8"] = nn.Linear(48, 10)
    return nn.Sequential(layers)


def digits_few() -> nn.Sequential:
    """Sixteen linear layers, 64-24-...-24-10 with ReLU, for inputs [n, 64]: deep, narrow and full of kinks."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(linear1=nn.Linear(64, 24), relu1=nn.ReLU())
    for number in range(2, 16):
        layers[f"linear{number}"], layers[f"relu{number}"] = nn.Linear(24, 24), nn.ReLU()
    layers["linear16"] = nn.Linear(24, 10)
    return nn.Sequential(layers)


def digits_cnn() -> nn.Sequential:
    """Two 3x3 convolutions of 8 and 16 channels, with max-pooling between, for inputs [n, 1, 8, 8]."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 8, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(8, 16, 3, padding=1),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            linear=nn.Linear(256, 10),
        ),
    )


def mnist_cnn() -> nn.Sequential:
    """Three 3x3 convolutions with max-pooling and a linear layer, for inputs [n, 1, 28, 28].

    A reconstruction of the network of the staleness study of Chen et al. 2016 (arXiv 1604.00981, section 2.1
    and its appendix): the paper gives 3x3 filters, max-pooling and four layers, but no widths. Its weight
    normalisation is left out.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(32, 64, 3, padding=1),
            relu3=nn.ReLU(),
            pool3=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            linear=nn.Linear(576, 10),
        ),
    )


def default_initial(layer: Layer, generator: torch.Generator) -> list[Tensor]:
    """The default of nn.Linear and nn.Conv2d, drawn from `generator` in the order in which they draw."""
    if not layer.shapes:
        return []
    weight, bias = (torch.empty(shape) for shape in layer.shapes)
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(math.prod(layer.shapes[0][1:]))
    nn.init.uniform_(bias, -bound, bound, generator=generator)
    return [weight, bias]


def he_initial(layer: Layer, generator: torch.Generator) -> list[Tensor]:
    """Normal with variance 2/inputs, biases 0 (He et al. 2015, arXiv 1502.01852, section 2.2): for deep ReLU chains."""
    if not layer.shapes:
        return []
    weight, bias = (torch.zeros(shape) for shape in layer.shapes)
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    return [weight, bias]


def cross_entropy(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of logits [n, classes] against classes [n]."""
    return nn.functional.cross_entropy(outputs, y)


def cross_entropies(outputs: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of each sample, [n]."""
    return nn.functional.cross_entropy(outputs, y, reduction="none")


def multi_margin(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean multi-class hinge loss of outputs [n, classes] against classes [n] (Crammer and Singer 2001's margins).

    A sample's loss is the mean over the classes of max(0, 1 - o_y + o_i), i other than y.
    """
    return multi_margins(outputs, y).mean()


def multi_margins(outputs: Tensor, y: Tensor) -> Tensor:
    """The multi-class hinge loss of each sample, [n]: that of torch, in operations that can be batched by vmap."""
    own = torch.arange(outputs.shape[-1], device=y.device) == y.unsqueeze(-1)
    margins = (1 - outputs.gather(-1, y.unsqueeze(-1)) + outputs).clamp(min=0)
    return margins.masked_fill(own, 0).mean(-1)


def accuracy(outputs: Tensor, y: Tensor) -> Tensor:
    """Share of samples whose largest logit is that of their class, in [0, 1]."""
    return (outputs.argmax(-1) == y).to(outputs.dtype).mean()


CLASSIFICATION = Objective(loss=cross_entropy, losses=cross_entropies, metric=accuracy)
MULTI_MARGIN = Objective(loss=multi_margin, losses=multi_margins, metric=accuracy)
