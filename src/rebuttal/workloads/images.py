"""Classification of colour images: a user's own folder or zip, and what CIFAR-10 shares with it."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from rebuttal.base.errors import refuse
from rebuttal.base.own_code import resolved
from rebuttal.workloads import image_files, models, user_data, vision_models
from rebuttal.workloads.augmentation import FlipAndCrop
from rebuttal.workloads.image_files import Images, divided
from rebuttal.workloads.parts import accuracy
from rebuttal.workloads.workload import Split, Workload, assemble

TARGET = accuracy((0.5, 0.94))


def images(path: str | Path, model: str = "resnet") -> Workload:
    """A workload of a user's own images: a folder or zip with a folder for each class, scaled to 32 x 32 pixels.

    model: one of vision_models.MODELS. A relative path starts at the project's root.

    Raises:
        InputError: an unknown model, or images that `image_files.read` refuses, or too few to divide.
    """
    place = resolved(path)
    parts = image_files.read(place, user_data.SIDE, resize=True)
    source = f"Data: the user's own images, {place.name}. Model: {model}, see workloads/vision_models.py."
    return classifier(f"images:{model}:{path}", model, parts, source)


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """The workload of a name `images:MODEL:PATH`. It says where the data are, so `data_root` is not used."""
    _, model, path = user_data.parts_of(name)
    return images(path, model)


def classifier(name: str, model: str, parts: Mapping[str, Images], source: str) -> Workload:
    """A workload that classifies these images with one of the small networks, flipped and cropped in training."""
    if model not in vision_models.MODELS:
        raise refuse("model", model, vision_models.MODELS)
    classes = len(next(iter(parts.values())).classes)
    return assemble(
        name,
        source=source,
        target=TARGET,
        build=lambda: vision_models.MODELS[model](classes),
        splits=standardised(divided(parts)),
        objective=models.CLASSIFICATION,
        augment=FlipAndCrop(),
    )


def standardised(splits: Mapping[str, Images]) -> dict[str, Split]:
    """Inputs float32 [n, channels, side, side]: each channel less its mean in the training set, over its deviation."""
    moments = _moments(torch.from_numpy(splits["training"].pixels))
    return {
        name: (_inputs(torch.from_numpy(part.pixels), moments), torch.from_numpy(part.labels))
        for name, part in splits.items()
    }


def _moments(pixels: Tensor) -> Tensor:
    """Mean and deviation [2, 1, channels, 1, 1] of a channel, from how often each byte occurs: exact in any order."""
    channels = pixels.shape[-1]
    counts = torch.stack(
        [torch.bincount(pixels[..., channel].flatten(), minlength=256) for channel in range(channels)]
    )
    share, level = counts / counts.sum(1, keepdim=True), torch.arange(256)
    mean = (share * level).sum(1)
    deviation = (share * (level - mean[:, None]) ** 2).sum(1).sqrt().clamp(min=1)  # flat images have none
    return torch.stack([mean, deviation]).view(2, 1, channels, 1, 1)


def _inputs(pixels: Tensor, moments: Tensor) -> Tensor:
    x = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return x.sub_(moments[0]).div_(moments[1])
