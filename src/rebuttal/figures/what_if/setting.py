"""A cluster and a model in a few numbers, each of which can be turned."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import Any

from rebuttal.base.arguments import number, text, whole
from rebuttal.base.errors import refuse
from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import FullSizeLayer, scaled_costs
from rebuttal.machines.hardware import Link, Machine
from rebuttal.machines.processors import PROCESSORS
from rebuttal.machines.stragglers import named as named_stragglers
from rebuttal.methods import METHODS, Method, called, fingerprint
from rebuttal.methods import method as named_method

CHOSEN = "assumed: chosen by whoever asks what if"
#: One block of the model. Assumed: about a sixteenth of a ResNet-50, in parameters, outputs and operations.
BLOCK = FullSizeLayer(
    layer="block",
    kind="convolutions",
    parameters=1_600_000,
    outputs=200_000,
    saved=600_000,
    forward_flops=500_000_000,
    backward_flops=1_000_000_000,
    products=3,
)
MOST_DEPTH, MOST_WORKERS, MOST_SAMPLES = 64, 1024, 65536
MOST_LATENCY_US = 1e9


@dataclass(frozen=True)
class Setting:
    """What can be turned. `code` follows from the method: a file of its user's own has one for each content.

    `batch` is the samples of one batch, `depth` the number of blocks of the model.

    `latency_us` (microseconds) and `bandwidth_gbit_s` (Gb/s) are those of every node's link. A method that needs a
    parameter server has one in as many pieces as there are workers, each with such a link.
    """

    method: str | Method = "all_reduce"
    workers: int = 8
    bandwidth_gbit_s: float = 10.0
    latency_us: float = 30.0
    stragglers: str = "lognormal"
    batch: int = 32
    depth: int = 8
    device: str = "p100"
    options: tuple[tuple[str, Any], ...] = ()  # of the method, by name
    code: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        for name, most in (("workers", MOST_WORKERS), ("batch", MOST_SAMPLES), ("depth", MOST_DEPTH)):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1, most))
        for name, most in (("bandwidth_gbit_s", inf), ("latency_us", MOST_LATENCY_US)):
            given = number(name, getattr(self, name), 0, most, or_equal=name == "latency_us")
            object.__setattr__(self, name, given)
        if text("device", self.device, PROCESSORS) not in PROCESSORS:
            raise refuse("device", self.device, PROCESSORS)
        named_stragglers(self.stragglers)
        _ = self.program  # an unknown method or option is refused here, and not later
        object.__setattr__(self, "code", fingerprint(self.method) if isinstance(self.method, str) else "")

    @property
    def program(self) -> Method:
        """The method with its options. Raises InputError for an unknown one."""
        return (
            named_method(self.method, **dict(self.options)) if isinstance(self.method, str) else self.method
        )

    @property
    def name(self) -> str:
        """What the method is called: by its key in the list of methods, by its file, or by its class."""
        if isinstance(self.method, str):
            return called(self.method)
        known: dict[type, str] = {kind: name for name, kind in METHODS.items()}
        return known.get(type(self.program), type(self.program).__name__)

    @property
    def machine(self) -> Machine:
        """The cluster."""
        link = Link(self.latency_us * 1e-6, self.bandwidth_gbit_s * 1e9 / 8, CHOSEN)
        return Machine(
            name="what if",
            description=f"{self.workers} workers, each a {self.device}, on links that were chosen",
            worker_link=link,
            shard_link=link,
            server_shards=self.workers,
            stragglers=named_stragglers(self.stragglers),
            stragglers_source=CHOSEN,
            compute=PROCESSORS[self.device],
        )

    @property
    def costs(self) -> Costs:
        """What the model costs on the device."""
        return _costs(self.depth, self.device, self.batch)


@lru_cache(maxsize=64)
def _costs(depth: int, device: str, batch: int) -> Costs:
    return scaled_costs([BLOCK] * depth, PROCESSORS[device], batch, "chain of blocks")
