"""What a worker process keeps between the pieces of work that it computes."""

import functools

import numba  # noqa: F401 - compiled code needs it: its import, too, is paid before processes are forked
import torch
import torch._inductor.config  # make_fx takes seconds for it at its first call: paid here, before processes are forked

from rebuttal.core.update_rules import Rule
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.workloads import load


@functools.lru_cache(maxsize=4)
def replayer(
    workload: str,
    data_root: str,
    device: str,
    batch: int,
    splits: tuple[str, ...],
    rule: Rule,
    table: str,
    data: str = "",
) -> Replayer:
    """A replayer of a workload on a device, with one intra-op thread; the same one at every call in a process.

    `table` is the text of the table that says which executor serves what; `data` the fingerprint of a user's own data,
    which are read again when it changes. Raises InputError.
    """
    torch.set_num_threads(1)
    placed = load(workload, data_root).to(device)
    return Replayer(placed, batch=batch, rule=rule, table=Table.of_text(table), splits=splits)
