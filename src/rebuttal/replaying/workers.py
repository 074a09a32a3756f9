"""What a worker process keeps between the pieces of work that it computes."""

import functools

import numba  # noqa: F401 - compiled code needs it: its import, too, is paid before processes are forked
import torch
import torch._inductor.config  # make_fx takes seconds for it at its first call: paid here, before processes are forked

from rebuttal.base import own_code
from rebuttal.base.errors import RunError
from rebuttal.core.update_rules import Rule
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.workloads import content, load
from rebuttal.workloads.torch_state import full_float32


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

    `table` is the text of the table that says which executor serves what; `data` says what the workload is made from,
    which is read again when it changes: of a user's own code, its last word is what `content.digest` found.

    Raises:
        InputError: as `load`.
        RunError: the code of a user's own gives other data than when this was looked at.
    """
    torch.set_num_threads(1)
    full_float32()
    loaded = load(workload, data_root)
    if data and own_code.is_named(workload) and content.digest(loaded) != data.rsplit(maxsplit=1)[-1]:
        raise RunError(
            f"{workload}: gives other data than when the study began; allowed: equal data at every call"
        )
    return Replayer(loaded.to(device), batch=batch, rule=rule, table=Table.of_text(table), splits=splits)
