"""What a workload's metric is called and which way is good: said once in a result file, asked by whoever reads it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ATTRIBUTE = "metrics"  # of a dataset: JSON, workload -> [name, lower_is_better]


@dataclass(frozen=True)
class Metric:
    """The metric of a workload. A share of right answers rises as the model learns; bits for each symbol fall."""

    name: str = "accuracy"
    lower_is_better: bool = False

    @property
    def unit(self) -> str:
        """Of the metric, and of what counts as error."""
        return self.name if self.lower_is_better else "fraction"

    @property
    def error(self) -> str:
        """What a chart calls the error: that of an accuracy, or the falling metric itself."""
        return self.name if self.lower_is_better else "error"

    @property
    def error_axis(self) -> str:
        """The same with its unit."""
        return self.name if self.lower_is_better else "error (fraction)"


def attribute(metrics: Mapping[str, Metric]) -> str:
    """The attribute of a dataset of these workloads."""
    return json.dumps({name: [m.name, m.lower_is_better] for name, m in metrics.items()}, sort_keys=True)


def metric_of(attributes: Mapping[Any, Any], workload: str) -> Metric:
    """The metric of a workload in a dataset with these attributes; an accuracy where none is named."""
    stored = json.loads(attributes.get(ATTRIBUTE, "{}"))
    return Metric(*stored[workload]) if workload in stored else Metric()


def falling(attributes: Mapping[Any, Any], workloads: Iterable[str]) -> list[bool]:
    """Of each workload, whether its metric falls as the model learns."""
    return [metric_of(attributes, str(name)).lower_is_better for name in workloads]
