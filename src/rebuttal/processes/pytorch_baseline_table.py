"""PyTorch's own implementations of methods that are also here. No torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shipped:
    """One of them. counterpart: the method here; schedule, hook: torch's own names, of a pipeline's or of DDP's."""

    counterpart: str
    about: str
    schedule: str | None = None
    hook: str | None = None


SHIPPED = {
    "ddp": Shipped("bucketed", "DistributedDataParallel: all-reduces of buckets, during the backward pass"),
    "ddp_fp16": Shipped("bucketed", "the same with the hook that sends float16", hook="fp16_compress_hook"),
    "torch_gpipe": Shipped("gpipe", "torch.distributed.pipelining, ScheduleGPipe", schedule="GPipe"),
    "torch_1f1b": Shipped(
        "one_forward_one_backward", "torch.distributed.pipelining, Schedule1F1B", schedule="1F1B"
    ),
    "torch_zero_bubble": Shipped(
        "zero_bubble",
        "torch.distributed.pipelining, ScheduleInterleavedZeroBubble with one stage on each node",
        schedule="InterleavedZeroBubble",
    ),
}
