"""Labels and numbers as a reader says them."""

import math
from collections.abc import Iterable

from rebuttal.core import division

# What labels are called in a sentence: workloads, machines, networks at full size, methods.
NAMES = {
    "digits_mlp": "handwritten digits, small MLP",
    "digits_deep": "handwritten digits, deep MLP",
    "digits_cnn": "handwritten digits, small CNN",
    "digits_few": "forty digits, 16-layer MLP",
    "digits_resnet": "handwritten digits, small ResNet",
    "digits_vit": "handwritten digits, small ViT",
    "digits_pixelcnn": "handwritten digits, PixelCNN",
    "mnist_small_cnn": "MNIST (14 x 14), small CNN",
    "mnist_small_deep": "MNIST (14 x 14), deep MLP",
    "mnist_small_few": "forty MNIST images, 16-layer MLP",
    "mnist_small_pixelcnn": "MNIST (14 x 14), PixelCNN",
    "mnist_half_cnn": "all of MNIST (14 x 14), small CNN",
    "mnist_cnn": "MNIST, CNN",
    "mnist_pixelcnn": "MNIST, PixelCNN",
    "mnist1d_linear": "MNIST-1D, linear model",
    "mnist1d_mlp": "MNIST-1D, MLP",
    "mnist1d_cnn": "MNIST-1D, CNN",
    "mnist1d_resnet": "MNIST-1D, ResNet",
    "mnist1d_transformer": "MNIST-1D, Transformer",
    "cifar10_small_cnn": "CIFAR-10 (16 x 16), small CNN",
    "cifar10_small_googlenet": "CIFAR-10 (16 x 16), small GoogLeNet",
    "cifar10_alexnet": "CIFAR-10, AlexNet",
    "cifar10_googlenet": "CIFAR-10, GoogLeNet",
    "cifar10_resnet": "CIFAR-10, ResNet",
    "cifar10_resnet9": "CIFAR-10, ResNet-9",
    "cifar10_resnet9_bf16": "CIFAR-10, ResNet-9 in bfloat16",
    "cifar10_vit": "CIFAR-10, ViT",
    "cifar10_pixelcnn": "CIFAR-10, PixelCNN",
    "pydoc_transformer": "character Transformer",
    "quadratic": "a quadratic",
    "quadratic_strong": "strongly convex quadratic",
    "quadratic_weak": "weakly convex quadratic",
    "max_abs": "largest absolute value",
    "hinge": "hinge loss",
    "paper_cluster": "the paper's cluster",
    "ethernet_10g": "10 Gb/s Ethernet",
    "ethernet_25g": "25 Gb/s Ethernet",
    "infiniband_fdr": "FDR InfiniBand",
    "loopback": "one host",
    "ideal": "a free network",
    "sandy_bridge_infiniband": "a CPU cluster with InfiniBand",
    "dgx1": "a DGX-1",
    "k40_datacenter": "K40 nodes on Ethernet",
    "k80_datacenter": "K80 nodes on Ethernet",
    "h100_box": "H100 nodes",
    "h200_box": "H200 nodes",
    "alexnet": "AlexNet",
    "alexnet_convolutions": "AlexNet's convolutions",
    "googlenet": "GoogLeNet",
    "resnet50": "ResNet-50",
    "vit_b_16": "ViT-B/16",
    "gpt2_small": "GPT-2 small",
    "none": "no stragglers",
    "mini_batch": "mini-batch SGD",
    "mini_batch_momentum": "mini-batch SGD with momentum",
    "all_reduce": "one all-reduce",
    "synchronous": "synchronous training",
    "asynchronous": "asynchronous training",
    "asynchronous_clipped": "clipped asynchronous training",
    "k_sync": "K-sync",
    "softsync_aware": "staleness-aware softsync",
    "delayed": "delayed gradients",
    "delayed_all_reduce": "delayed all-reduce",
    "delayed_all_reduce_momentum": "delayed all-reduce with momentum",
    "layer_wise": "layer-wise all-reduce",
    "layer_wise_overlapped": "overlapped layer-wise all-reduce",
    "layer_wise_asynchronous": "asynchronous layer-wise training",
    "delayed_layer_wise": "delayed layer-wise training",
    "elastic_averaging": "elastic averaging",
    "one_sided": "one-sided access",
    "stale_synchronous": "stale synchronous training",
    "greedy": "greedy learning",
    "local_sgd": "local SGD",
    "model_parallel": "model parallelism",
    "one_forward_one_backward": "1F1B",
    "continuous_propagation_momentum": "continuous propagation with momentum",
    "gpipe": "GPipe",
    "gpipe_momentum": "GPipe with momentum",
    "pipedream": "PipeDream",
    "pprs": "PPRS",
    "pprs_parts": "parts of PPRS",
    "pprs_width": "PPRS by width",
    "nesterov": "the accelerated gradient",
    "hogwild": "Hogwild",
    "sub_gradient": "averaged sub-gradients",
    "smooth_gradient": "gradient descent",
    "smooth_nesterov": "the accelerated gradient",
}
PLAIN = ("shards=1",)  # options that go without saying in a sentence
# What an option of a variant means in a sentence; "s|es" after a count that is not one. Others are said by their name.
OPTIONS = {
    "b": "{} backup|s",
    "shards": "batches of {} worker|s",
    "workers": "{} worker|s",
    "k": "{} update|s late",
    "n": "1/{} of the workers at a time",
    "c": "at norm {}",
    "m": "{} micro-batch|es",
    "channels": "{} channel|s",
    "cap_mib": "buckets of {} MiB",
    "first_mib": "the first of {} MiB",
    "H": "{} local update|s",
    "post": "after {} synchronous update|s",
    "s": "at most {} clock|s ahead",
    "by": "compensated by {}",
    "tau": "every {} step|s",
    "alpha": "moved by {}",
    "n_fetch": "weights fetched every {} gradient|s",
    "n_push": "pushed every {} gradient|s",
    "B": "blocks of {} update|s",
    "rate": "rate {}",
    "lag": "{} batch|es late",
    "K": "{} smoothing sample|s",
    "gamma": "smoothed by {}",
}


def named(label: object) -> str:
    """A label within a sentence: a known name, or its first word, without options."""
    text = str(label)
    return NAMES.get(text) or words(text).partition(", ")[0]


def place(where: str) -> str:
    """A place as a reader says it: a workload on a machine by their names, or a label with its options in words."""
    return ", ".join(map(in_text, where.split(", "))) if where else ""


def words(label: str) -> str:
    """A label as a reader says it: 'backup_workers b=2' -> 'backup workers, b = 2'; a phrase stays one."""
    if label in NAMES:
        return NAMES[label]
    workload, at, _ = label.rpartition("@")
    if at and workload in NAMES and (law := division.parsed(label)[1]):
        return f"{NAMES[workload]}, divided {division.words(law)}"
    name, *options = label.split()
    if not all("=" in option for option in options):
        return label.replace("_", " ")
    name = NAMES.get(name) or name.replace("_", " ")
    return ", ".join([name, *(option.replace("=", " = ").removesuffix(".0") for option in options)])


def in_text(label: str) -> str:
    """A label within a sentence, where it may stand beside a number: 'backup workers (2 backups)'."""
    name, *options = label.split()
    if not all("=" in option for option in options):
        return words(label)
    said = [_meant(option) for option in options if option not in PLAIN]
    return f"{words(name)} ({', '.join(said)})" if said else words(name)


def _meant(option: str) -> str:
    """'b=2' -> '2 backups'; 'lazy=false' -> 'not lazy'; 'form=stash' -> 'stash'."""
    name, _, value = option.partition("=")
    said, value = name.replace("_", " "), value.removesuffix(".0")
    if value in ("true", "false"):
        return said if value == "true" else f"not {said}"
    if value.isalpha():
        return value
    text, _, ending = OPTIONS.get(name, f"{said} {{}}").partition("|")
    plural, space, rest = ending.partition(" ")
    return text.format(value) + (plural if value != "1" else "") + space + rest


def counted(number: int, noun: str) -> str:
    """'1 backup', '2 backups'."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def enumerated(parts: Iterable[str]) -> str:
    """'1', '1 and 2', '1, 2 and 3'."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def number(value: object) -> str:
    """A number for a reader: four significant digits, a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if isinstance(value, int):
        return f"{value}"
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return (
        f"{value:.4g}".replace("-", "−")
        if 1e-3 <= abs(value) < 1e5 or value == 0
        else f"{value:.2e}".replace("-", "−")
    )
