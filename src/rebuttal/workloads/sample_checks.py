"""Samples of a user's own, looked at before a run begins: what no model can learn from is told by the split's name.

A run on them would end somewhere: NaN in one sample makes every method diverge, which would be said of the methods.
"""

import torch
from torch import Tensor

from rebuttal.base.errors import InputError, refuse
from rebuttal.workloads.models import cross_entropy, multi_margin
from rebuttal.workloads.workload import Workload

SPLITS = ("training", "validation", "test")
OF_CLASSES = (cross_entropy, multi_margin)  # losses whose targets are classes


def check_samples(workload: Workload) -> None:
    """Refuse splits that are missing, empty or not finite, and labels that are no class. Raises InputError."""
    for split in SPLITS:
        if split not in workload.splits:
            raise refuse("splits", sorted(workload.splits), SPLITS)
        x, y = workload.splits[split]
        if not len(x) or len(x) != len(y):
            given = f"{len(x)} samples and {len(y)} targets"
            raise InputError(
                f"split '{split}': got {given}; allowed: as many targets as samples, at least one"
            )
        for what, values in (("samples", x), ("targets", y)):
            _check_finite(split, what, values)
    if workload.loss in OF_CLASSES:
        _check_classes(workload)


def _check_finite(split: str, what: str, values: Tensor) -> None:
    wrong = ~torch.isfinite(values.reshape(len(values), -1)).all(1)
    if wrong.any():
        first = int(wrong.nonzero()[0])
        given = f"{int(wrong.sum())} of {len(values)} {what} with NaN or infinity, the first at row {first}"
        raise InputError(f"split '{split}': got {given}; allowed: finite numbers")


def _check_classes(workload: Workload) -> None:
    with torch.no_grad():
        classes = workload.module()(workload.splits["training"][0][:1]).shape[1]
    found = {}
    for split in SPLITS:
        labels = workload.splits[split][1]
        allowed = f"whole numbers (int64) from 0 to {classes - 1}, for the model has {classes} outputs"
        if labels.dtype != torch.int64:
            raise InputError(f"split '{split}': got labels of {labels.dtype}; allowed: {allowed}")
        found[split] = set(labels.flatten().tolist())
        if wrong := sorted(label for label in found[split] if not 0 <= label < classes):
            raise InputError(f"split '{split}': got the label {wrong[0]}; allowed: {allowed}")
        if unseen := sorted(found[split] - found["training"]):
            given = f"the label {unseen[0]}, which no sample for training has"
            raise InputError(f"split '{split}': got {given}; allowed: {sorted(found['training'])}")
    if len(found["training"]) < 2:
        raise InputError("split 'training': got samples of one class; allowed: two classes or more")
