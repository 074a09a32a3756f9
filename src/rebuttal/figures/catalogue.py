"""The list of figures: the functions that draw each, and the data that both take, in order.

Data are called curves, tuning, summaries, stragglers (see `rebuttal.core.results`), targets (see
`rebuttal.evidence.datasets.targets`), gantt (see `rebuttal.simulation.timeline_metrics.gantt`), layer_gantt (see
`rebuttal.figures.layer_timeline.stored`), replay (see `rebuttal.replaying`), calibration (see
`rebuttal.core.results`), or have the name of an analysis (see `rebuttal.core.schemas.ANALYSES`).
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from rebuttal.base import notebook_renderer
from rebuttal.base.errors import refuse
from rebuttal.figures import (
    ablation,
    adversarial_loss,
    backup_statistics,
    backups_effect,
    best_of_n_rates,
    calibration_error,
    calibration_scatter,
    calibration_shipped,
    continuous_gap,
    delay_costs,
    delay_heat_map,
    error_bounds,
    error_curves,
    few_and_more_workers,
    gains,
    largest_gains,
    latency_map,
    layer_timeline,
    layers,
    learning_rates,
    memory_bars,
    method_curves,
    method_errors,
    method_rates,
    method_times,
    method_trade_off,
    pipeline_steps,
    rate_of_convergence,
    replay_curves,
    same_weights,
    scaling_efficiency,
    smoothing_heat_map,
    softsync_clipping,
    speed_up_split,
    stable_rates,
    staleness_effect,
    throughput_by_batch,
    time_lines,
    time_to_target,
)
from rebuttal.figures.default_figure import figure_of
from rebuttal.figures.panel import Panel, join
from rebuttal.figures.single_seeds import plain

notebook_renderer.enable()


@dataclass(frozen=True)
class Drawing:
    """A figure's functions and the data that they take, in order. finding: what the data say, in a sentence or two.

    baseline: the label against which it draws all others, if it does.
    """

    needs: tuple[str, ...]
    panels: Callable[..., list[Panel]]
    table: Callable[..., pd.DataFrame]
    finding: Callable[..., str] | None = None
    baseline: str | None = None

    def against(self, baseline: str) -> "Drawing":
        """The same figure against another baseline."""
        functions = [functools.partial(draw, baseline=baseline) for draw in (self.panels, self.table)]
        return replace(self, panels=functions[0], table=functions[1], baseline=baseline)


DRAWINGS: dict[str, Drawing] = (
    {
        "convergence": Drawing(("curves",), error_curves.panels, error_curves.table),
        "time_to_target": Drawing(("curves", "targets"), time_to_target.panels, time_to_target.table),
        "speed_up_split": Drawing(
            ("curves", "targets"),
            speed_up_split.panels,
            speed_up_split.table,
            baseline=speed_up_split.BASELINE,
        ),
        "learning_rates": Drawing(("tuning",), learning_rates.panels, learning_rates.table),
        "backups_order_statistics": Drawing(
            ("stragglers",), backup_statistics.time_panels, backup_statistics.time_table
        ),
        "best_backups": Drawing(("stragglers",), backup_statistics.best_panels, backup_statistics.best_table),
        "backups_effect": Drawing(("curves", "targets"), backups_effect.panels, backups_effect.table),
        "rate_of_convergence": Drawing(
            ("curves", "targets"), rate_of_convergence.panels, rate_of_convergence.table
        ),
        "staleness_error": Drawing(("curves",), staleness_effect.error_panels, staleness_effect.error_table),
        "staleness_distribution": Drawing(
            ("summaries",), staleness_effect.count_panels, staleness_effect.count_table
        ),
        "softsync_clipping": Drawing(
            ("curves", "targets"), softsync_clipping.panels, softsync_clipping.table
        ),
        "one_timeline": Drawing(("gantt",), time_lines.gantt_panels, time_lines.gantt_table),
        "layer_timeline": Drawing(("layer_gantt",), layer_timeline.panels, layer_timeline.table),
        "utilisation": Drawing(("summaries",), time_lines.use_panels, time_lines.use_table),
        "replay": Drawing(("replay",), replay_curves.panels, replay_curves.table),
        "where_time_is": Drawing(("layer_ratios",), layers.share_panels, layers.share_table),
        "layer_ratios": Drawing(("layer_ratios",), layers.ratio_panels, layers.ratio_table),
        "overlap_delay_server": Drawing(("model_ratios",), gains.ceiling_panels, gains.ceiling_table),
        "layer_wise_speedups": Drawing(("speedups",), gains.speedup_panels, gains.speedup_table),
        "batch_latency_map": Drawing(("batch_latency",), latency_map.panels, latency_map.table),
        "memory": Drawing(("memory",), memory_bars.panels, memory_bars.table),
        "scaling": Drawing(("scaling",), scaling_efficiency.panels, scaling_efficiency.table),
        "throughput": Drawing(("throughput",), throughput_by_batch.panels, throughput_by_batch.table),
        "calibration_scatter": Drawing(
            ("calibration",), calibration_scatter.panels, calibration_scatter.table
        ),
    }
    | {
        name: Drawing(needs, module.panels, module.table, module.finding)
        for name, needs, module in (
            ("method_errors", ("curves",), method_errors),
            ("method_times", ("curves", "targets"), method_times),
            ("method_curves", ("curves",), method_curves),
            ("method_trade_off", ("curves", "summaries"), method_trade_off),
            ("method_rates", ("tuning",), method_rates),
            ("tuning_budget", ("tuning",), best_of_n_rates),
            ("peak_speedups", ("peak_speedups",), largest_gains),
            ("equivalence", ("equivalence",), same_weights),
            ("delay_map", ("delay_map",), delay_heat_map),
            ("delay_costs", ("delay_map",), delay_costs),
            ("continuous_time", ("continuous_time",), continuous_gap),
            ("stable_rates", ("continuous_time",), stable_rates),
            ("rates", ("rates",), error_bounds),
            ("smoothing_map", ("smoothing_map",), smoothing_heat_map),
            ("ablation", ("curves", "summaries"), ablation),
            ("worker_counts", ("worker_counts",), few_and_more_workers),
            ("adversarial", ("adversarial",), adversarial_loss),
            ("pipeline_steps", ("smoothing_map", "recorded"), pipeline_steps),
            ("calibration_error", ("calibration",), calibration_error),
            ("calibration_shipped", ("calibration",), calibration_shipped),
        )
    }
    | {
        f"speed_up_over_{name}": Drawing(
            ("curves", "targets"),
            functools.partial(speed_up_split.panels, baseline=baseline, machines=machines),
            functools.partial(speed_up_split.table, baseline=baseline, machines=machines),
            baseline=baseline,
        )
        for name, baseline, machines in (("all_reduce", "all_reduce", None), ("gpipe", "gpipe m=2", 1))
    }
)


def drawing(name: str) -> Drawing:
    """The drawing called `name`. Raises InputError for an unknown one."""
    if name not in DRAWINGS:
        raise refuse("figure", name, DRAWINGS)
    return DRAWINGS[name]


def panels(name: str, *data: Any, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """The panels of a figure, for a page that lays them out. `definitions`: label or method -> one line."""
    return drawing(name).panels(*data, definitions)


def chart(
    *data: Any, figure: str | None = None, definitions: Mapping[str, str] | None = None
) -> alt.LayerChart | alt.ConcatChart:
    """One Altair chart of a timeline, of a replay's dataset or of results, with a legend that explains its entries.

    figure: a name of DRAWINGS (default: the one that suits the data). definitions: label or method -> one line.
    Raises InputError for an unknown figure, or data that none suits.
    """
    return join(panels(figure or figure_of(data[0]), *data, definitions=definitions))


def table(name: str, *data: Any) -> pd.DataFrame:
    """The numbers of a figure, at most some forty rows; `attrs['rows']` says how many there would be.

    Without what pages have besides: other targets than the figure's own, and the values of single seeds.
    """
    return plain(drawing(name).table(*data))
