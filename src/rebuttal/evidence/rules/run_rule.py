"""What rules on runs compare, and where, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr

from rebuttal.evidence import quantities
from rebuttal.evidence.judging import PlaceOutcome
from rebuttal.evidence.naming import words
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import All, Positive, Rate, Rule, clock, target_in_words

What = Literal[
    "final_test_metric", "final_test_error", "final_test_loss", "seconds_to_target", "updates_to_target",
    "epochs_to_target", "samples_to_target", "seconds_per_update", "bytes_sent", "staleness_mean", "utilisation",
    "dropped_share",
]  # fmt: skip
WHAT = {
    "final_test_metric": "test accuracy at the end", "final_test_error": "test error at the end",
    "final_test_loss": "test loss at the end", "seconds_to_target": "seconds to the target",
    "updates_to_target": "updates to the target", "epochs_to_target": "epochs to the target",
    "samples_to_target": "samples to the target", "seconds_per_update": "seconds per update",
    "bytes_sent": "bytes sent", "staleness_mean": "mean staleness", "utilisation": "utilisation",
    "dropped_share": "share of gradients dropped",
}  # fmt: skip


class RunRule(Rule):
    """A rule on one number per run. workloads, machines: None for all that the results have."""

    what: What
    rate: Rate = "tuned"
    target: Positive = 3.0
    workloads: All | None = None
    machines: All | None = None
    names_runs = True

    def places(self, values: xr.Dataset, data: Results) -> Iterator[dict[str, str]]:
        """Every workload and machine that the rule names, or all in the results that it can be about."""
        quantities.check_labels(values, "rule.machines", self.machines or [], "machine")
        for workload in quantities.workloads_of(data, self.what, self.workloads):
            for machine in self.machines or values.machine.values.tolist():
                yield {"workload": workload, "machine": machine}

    def conditions(self, data: Results) -> str:
        """Under which conditions it was judged, in one line."""
        said = [clock(data)]
        said += [f"{self.rate} learning rate"] if quantities.is_trained(self.what) else []
        said += [f"after {self.epochs(data)}"] if self.what.startswith("final_") else []
        said += [target_in_words(self.target)] if self.what.endswith("_to_target") else []
        raised = (
            quantities.raised(data, self.target, self.workloads) if self.what.endswith("_to_target") else []
        )
        said += [f"raised on {', '.join(raised)} to half-way from the untrained model"] if raised else []
        left_out: set[str] = set()
        if self.workloads is None:
            there = quantities.workloads_of(data, self.what, None)
            left_out = set(map(str, data.curves.workload.values)) - set(there)
        said += [f"not on {', '.join(sorted(left_out))}, which have no accuracy"] if left_out else []
        return "; ".join(said)

    def epochs(self, data: Results) -> str:
        """How long the runs were trained: '3 epochs'; empty for what needs no training."""
        trained = quantities.is_trained(self.what)
        return quantities.epochs(data, self.what, self.workloads) if trained else ""

    def distinct(self, found: Sequence[PlaceOutcome]) -> tuple[PlaceOutcome, ...]:
        """The places, those that share their runs as one: what is trained for so many samples knows no machine."""
        if not quantities.is_trained(self.what) or self.what == "seconds_to_target":
            return tuple(found)
        kept: list[PlaceOutcome] = []
        for one in found:
            same = next((i for i, other in enumerate(kept) if _share_runs(one, other)), None)
            if same is None:
                kept.append(one)
            else:
                workload = str(one.labels["workload"])
                kept[same] = replace(kept[same], where=workload, labels={"workload": workload})
        return tuple(kept)

    def where(self) -> str:
        """' (on ..., ...)', the workloads and machines that the rule names; empty for all."""
        named = [*(self.workloads or []), *(self.machines or [])]
        return f" (on {', '.join(map(words, named))})" if named else ""


def _share_runs(one: PlaceOutcome, other: PlaceOutcome) -> bool:
    """Whether two places have the same workload, and the same values to the last digit."""
    if one.labels["workload"] != other.labels["workload"] or one.effects is None or other.effects is None:
        return False
    return np.array_equal(one.effects.values, other.effects.values)


def some(labels: Sequence[str]) -> str:
    """Labels in words; of several, the best."""
    named = [words(label) for label in labels]
    return named[0] if len(named) == 1 else f"the best of ({'; '.join(named)})"
