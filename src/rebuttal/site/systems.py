"""The systems and models that the papers and their reviews name: what each is here, and what stands in for what.

The names are strings, so that a page needs no training library; `tests/test_systems.py` holds them to the package.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence.result_files import Runs
from rebuttal.figures.theme import family, words
from rebuttal.site import html, method_links

UNREAD = "Full size is modelled from counted operations: no ImageNet and no such machine were at hand to train it on."


@dataclass(frozen=True)
class System:
    """One of them. stand_in: what is not the system itself, and why; empty where the thing itself is run.

    methods, workloads: what is run; models, machines: of the analyses at full size.
    """

    name: str
    methods: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    stand_in: str = ""


SYSTEMS = (
    System("mini-batch SGD", ("mini_batch",)),
    System("synchronous all-reduce, one communication after the backward pass", ("all_reduce",)),
    System("layer-wise overlapped all-reduce", ("layer_wise_overlapped", "bucketed")),
    System("asynchronous layer-wise", ("layer_wise_asynchronous",), stand_in="Written after the authors' code, as "
           "the paper's text was not at hand; their reducer threads are requests that do not block."),
    System("delayed gradients", ("delayed", "delayed_all_reduce", "delayed_layer_wise"), stand_in="The authors' files "
           "for several steps of delay are in no public branch: the rule is a reconstruction from their flags."),
    System("parameter server, synchronous and asynchronous", ("synchronous", "asynchronous")),
    System("one-sided push, as by RDMA", ("one_sided",), stand_in="No adapter with remote memory access was at hand: "
           "reads and writes that take no time of the other node are modelled."),
    System("Hogwild!", ("hogwild",), stand_in="On dense networks, where its theory is about sparse problems."),
    System("bounded-delay asynchronous gradient", ("bounded_delay",)),
    System("softsync, and staleness-aware", ("softsync", "softsync_aware")),
    System("asynchronous with gradient clipping", ("asynchronous_clipped",)),
    System("synchronous with backup workers", ("backup_workers", "k_sync")),
    System("continuous propagation", ("continuous_propagation",), stand_in="A reconstruction from the paper's abstract "
           "and from the abstract of a patent with the same term, as its text was not at hand."),
    System("decoupled neural interfaces, synthetic gradients", ("synthetic_gradients",), stand_in="Synthesizers are "
           "linear, so that a small network can be cut everywhere."),
    System("GPipe", ("gpipe", "one_forward_one_backward")),
    System("PPRS, with and without smoothing, pipelining and acceleration", ("pprs", "nesterov"), stand_in="Settings "
           "were derived again from the abstract, and are checked against its bounds."),
    System("AlexNet", models=("alexnet",), stand_in=UNREAD),
    System("GoogLeNet, Inception", workloads=("cifar10_small_googlenet",), models=("googlenet", "inception_v3"),
           stand_in=f"{UNREAD} A small network of its blocks is trained in the profile standard."),
    System("PixelCNN", workloads=("digits_pixelcnn", "mnist_small_pixelcnn"), stand_in="Of fewer layers and on grey "
           "images, so that it trains in minutes; the paper's is one of CIFAR-10."),
    System("ResNet", workloads=("digits_resnet",), models=("resnet50",), stand_in=UNREAD),
    System("Transformer", workloads=("digits_vit", "pydoc_transformer"), models=("vit_b_16", "gpt2_small"),
           stand_in=f"{UNREAD} A small language model is trained in the profile full; in the others its weights are "
           "compared and its throughput is timed."),
    System("CPU cluster with InfiniBand", machines=("sandy_bridge_infiniband",), stand_in="Modelled from published "
           "peaks and bandwidths, as no such cluster was at hand."),
    System("box of GPUs with NVLink, DGX-1", machines=("dgx1",), stand_in="Modelled from published peaks and "
           "bandwidths, as none was at hand."),
)  # fmt: skip


def html_of(studies: Sequence[Runs]) -> str:
    """A row for each system: what it is here, where these results have it, what it stands in for."""
    cells = [
        (escape(one.name), ", ".join(_named(one)), escape("; ".join(_places(one, studies)) or "not in these results"),
         escape(one.stand_in) or "the method itself")
        for one in SYSTEMS
    ]  # fmt: skip
    head = ("As the reviews name it", "Here", "Where it was run", "What stands in for what")
    return html.table(head, cells, "Systems and models that the papers and their reviews name", "cards")


def _named(one: System) -> Iterator[str]:
    yield from map(method_links.link, one.methods)
    yield from (escape(words(name)) for name in (*one.workloads, *one.models, *one.machines))


def _places(one: System, studies: Sequence[Runs]) -> Iterator[str]:
    """The studies that have a method or a workload of it, and the analyses that have a model or a machine."""
    for study in studies:
        ran = {family(str(label)) for label in study.curves.method.values} | set(
            study.curves.workload.values.tolist()
        )
        if ran & {*one.methods, *one.workloads}:
            yield f"study {words(study.folder.name)}"
    if _timed() & set(one.workloads):
        yield "throughput of a device"
    if _held("analyses/models.json") & set(one.models):
        yield "speed at full size"
    if _held("analyses/machines.json") & set(one.machines):
        yield "speed at full size on this machine"


def _timed() -> set[str]:
    """The workloads whose throughput is known; none where the analyses were not made."""
    there = (paths.results("analyses") / ANALYSES["throughput"].pattern).is_file()
    return set(results.load_analysis("throughput").workload.values.tolist()) if there else set()


def _held(name: str) -> set[str]:
    """The names in a JSON file of results; none where it was not made."""
    path: Path = paths.results() / name
    if not path.is_file():
        return set()
    content = json.loads(path.read_text(encoding="utf-8"))
    return set(content)
