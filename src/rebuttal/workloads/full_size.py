"""Networks at full size: what each layer holds and computes, read off torch's meta device, where tensors have no data.

torchvision's networks at the resolution of their published weights, and a Transformer of GPT-2's smallest size, each
cut into a chain of its layers. One sample is counted, in float32: two floating-point operations to a multiply-add.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.workloads import chains
from rebuttal.workloads.counting import BATCH, LayerCount, counted
from rebuttal.workloads.language import transformer
from rebuttal.workloads.likelihood import LIKELIHOOD
from rebuttal.workloads.models import CLASSIFICATION
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import Workload, assemble

CLASSES, SYMBOLS = 1000, 50_257  # of ImageNet, and of GPT-2's vocabulary


@dataclass(frozen=True)
class Model:
    """How a network is made, and the shape of one sample. auxiliary: head -> the layer whose output it takes."""

    build: Callable[[], nn.Sequential]
    sample: tuple[int, ...]
    source: str
    auxiliary: dict[str, str]
    heads: Callable[[], dict[str, nn.Module]] = dict


def _torchvision(name: str, side: int, cut: Callable[[Any], nn.Sequential], **given: Any) -> Model:
    def build() -> nn.Sequential:
        from torchvision.models import get_model  # noqa: PLC0415 - slow to import, and few processes need it

        return cut(get_model(name, weights=None, **given))

    return Model(build, (3, side, side), f"torchvision.models.{name}", {})


def _googlenet() -> Model:
    def heads() -> dict[str, nn.Module]:
        from torchvision.models import googlenet  # noqa: PLC0415 - as in `_torchvision`

        whole = googlenet(weights=None, aux_logits=True, init_weights=False)
        return {name: getattr(whole, name) for name in ("aux1", "aux2")}

    plain = _torchvision("googlenet", 224, chains.googlenet, aux_logits=False, init_weights=False)
    return Model(
        plain.build, plain.sample, plain.source, {"aux1": "inception4a", "aux2": "inception4d"}, heads
    )


def _inception() -> Model:
    def heads() -> dict[str, nn.Module]:
        from torchvision.models import inception_v3  # noqa: PLC0415 - as in `_torchvision`

        whole = inception_v3(weights=None, aux_logits=True, init_weights=False)
        return {"AuxLogits": whole.AuxLogits}  # type: ignore[dict-item]

    plain = _torchvision("inception_v3", 299, chains.inception, aux_logits=False, init_weights=False)
    return Model(plain.build, plain.sample, plain.source, {"AuxLogits": "Mixed_6e"}, heads)


def _gpt2() -> Model:
    """12 blocks of width 768 over 1,024 tokens; its output matrix is its own, since a chain can share none."""
    return Model(
        lambda: transformer(symbols=SYMBOLS, length=1024, width=768, blocks=12, heads=12),
        (1024,),
        "the smallest size of Radford et al. 2019 (GPT-2), in blocks of our own",
        {},
    )


MODELS: dict[str, Model] = {
    "alexnet": _torchvision("alexnet", 224, chains.alexnet),
    "googlenet": _googlenet(),
    "inception_v3": _inception(),
    "resnet50": _torchvision("resnet50", 224, chains.resnet),
    "vit_b_16": _torchvision("vit_b_16", 224, chains.vision_transformer),
    "gpt2_small": _gpt2(),
}


def chain(name: str) -> nn.Sequential:
    """The network as a chain of layers, on the device of the context (`with torch.device("meta")` costs no memory).

    Raises:
        InputError: an unknown name.
    """
    if name not in MODELS:
        raise refuse("model", name, MODELS)
    return MODELS[name].build()


def catalogue(name: str, *, auxiliary: bool = False) -> list[LayerCount]:
    """A row for each layer of the chain, then for each auxiliary classifier if asked for.

    Raises:
        InputError: an unknown name.
    """
    with torch.device("meta"):
        layers, rows, reached, kept = chain(name), [], {}, {}
        x = torch.zeros(BATCH, *MODELS[name].sample)
        for label, layer in layers.named_children():
            x = reached[label] = counted(
                LayerCount(label, type(layer).__name__.lower()), layer, x, kept, rows
            )
        for label, head in MODELS[name].heads().items() if auxiliary else ():
            row = LayerCount(label, type(head).__name__.lower(), auxiliary=True)
            counted(row, head, reached[MODELS[name].auxiliary[label]], kept, rows)
    return rows


def write(names: Sequence[str], path: Path) -> None:
    """The catalogues of these networks as JSON: {name: {source, sample, layers: [row, ...]}}. Raises InputError."""
    content = {
        name: {
            "source": MODELS[name].source,
            "sample": MODELS[name].sample,
            "layers": [asdict(row) for row in catalogue(name, auxiliary=True)],
        }
        for name in names
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def workload(name: str, samples: int = 8) -> Workload:
    """The network with inputs and targets that are drawn: to be timed on a device, not to be trained.

    Raises:
        InputError: an unknown name.
    """
    if name not in MODELS:
        raise refuse("model", name, MODELS)
    drawn, shape = seeding.generator(0, "full_size", name), (samples, *MODELS[name].sample)
    is_text = len(shape) == 2
    x = drawn.integers(0, SYMBOLS, shape) if is_text else drawn.standard_normal(shape, dtype=np.float32)
    y = drawn.integers(0, SYMBOLS if is_text else CLASSES, shape if is_text else samples)
    split = (torch.from_numpy(x).float(), torch.from_numpy(y))
    return assemble(
        name,
        source=f"Data: drawn. Model: {MODELS[name].source}.",
        target=Target("loss", "None: it is not trained.", (1.0, 10.0), lower_is_better=True),
        build=MODELS[name].build,
        splits=dict.fromkeys(("training", "validation", "test"), split),
        objective=LIKELIHOOD if is_text else CLASSIFICATION,
        trained=False,
    )
