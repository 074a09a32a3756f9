"""The name of a workload's metric, and whether lower is better: written once in a result file, read everywhere."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ATTRIBUTE = "metrics"  # of a dataset: JSON, workload -> [name, lower_is_better] or, if so, [..., large_error]


@dataclass(frozen=True)
class Metric:
    """The metric of a workload. A share of right answers rises as the model learns; bits for each symbol fall.

    large_error: of an accuracy, whether targets go up from the baseline's error in steps, as those of bits do.
    """

    name: str = "accuracy"
    lower_is_better: bool = False
    large_error: bool = False

    @property
    def unit(self) -> str:
        """Of the metric, and of what counts as error."""
        return self.name if self.lower_is_better else "fraction"

    @property
    def error(self) -> str:
        """The name of the error in a chart: 1 - accuracy, or the metric itself if lower is better."""
        return self.name if self.lower_is_better else "error"

    @property
    def error_at_end(self) -> str:
        """The same of the error after the last update."""
        return self.name if self.lower_is_better else "error at the end"

    @property
    def is_share(self) -> bool:
        """Whether it is a share, from 0 to 1, and so is its error."""
        return not self.lower_is_better


def attribute(metrics: Mapping[str, Metric]) -> str:
    """The attribute of a dataset of these workloads."""
    stored = {name: [m.name, m.lower_is_better, *([True] * m.large_error)] for name, m in metrics.items()}
    return json.dumps(stored, sort_keys=True)


def metric_of(attributes: Mapping[Any, Any], workload: str) -> Metric:
    """The metric of a workload in a dataset with these attributes; an accuracy where none is named."""
    stored = json.loads(attributes.get(ATTRIBUTE, "{}"))
    return Metric(*stored[workload]) if workload in stored else Metric()


def falling(attributes: Mapping[Any, Any], workloads: Iterable[str]) -> list[bool]:
    """Of each workload, whether its metric falls as the model learns."""
    return [metric_of(attributes, str(name)).lower_is_better for name in workloads]


def in_steps(attributes: Mapping[Any, Any], workloads: Iterable[str]) -> list[bool]:
    """Of each workload, whether targets go up in steps from the baseline's error and are no multiples of it."""
    found = [metric_of(attributes, str(name)) for name in workloads]
    return [metric.lower_is_better or metric.large_error for metric in found]
