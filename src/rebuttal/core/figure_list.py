"""The figures by name, each with the module of `rebuttal.figures` that is all of it: one line for each.

The names stand this far down because a paper's file names them. The order is that in which they are shown.
"""

#: Figures of the runs of a study.
OF_STUDIES = {
    "convergence": "error_curves",
    "time_to_target": "time_to_target",
    "speed_up_split": "speed_up_split",
    "speed_up_over_all_reduce": "speed_up_over_all_reduce",
    "speed_up_over_gpipe": "speed_up_over_gpipe",
    "learning_rates": "learning_rates",
    "tuning_budget": "best_of_n_rates",
    "backups_order_statistics": "backup_statistics",
    "best_backups": "best_backups",
    "backups_effect": "backups_effect",
    "rate_of_convergence": "rate_of_convergence",
    "staleness_error": "staleness_effect",
    "staleness_distribution": "staleness_counts",
    "softsync_clipping": "softsync_clipping",
    "worker_counts": "few_and_more_workers",
    "one_timeline": "time_lines",
    "layer_timeline": "layer_timeline",
    "utilisation": "busy_workers",
    "method_errors": "method_errors",
    "method_times": "method_times",
    "method_curves": "method_curves",
    "method_trade_off": "method_trade_off",
    "method_rates": "method_rates",
    "rates": "error_bounds",
    "smoothing_map": "smoothing_heat_map",
    "ablation": "ablation",
    "adversarial": "adversarial_loss",
    "pipeline_steps": "pipeline_steps",
    "peak_speedups": "largest_gains",
    "equivalence": "same_weights",
    "delay_map": "delay_heat_map",
    "delay_costs": "delay_costs",
    "continuous_time": "continuous_gap",
    "stable_rates": "stable_rates",
}
#: Those of the page about machines, which a paper may show too.
ON_MACHINES = {
    "where_time_is": "layer_shares",
    "layer_ratios": "layers",
    "overlap_delay_server": "overlap_ceilings",
    "layer_wise_speedups": "gains",
    "batch_latency_map": "latency_map",
    "scaling": "scaling_efficiency",
    "memory": "memory_bars",
    "throughput": "throughput_by_batch",
}
#: Those of the page about the calibration.
ON_CALIBRATION = {
    "calibration_error": "calibration_error",
    "calibration_scatter": "calibration_scatter",
    "calibration_shipped": "calibration_shipped",
}
#: Those of notebooks alone.
IN_NOTEBOOKS = {"replay": "replay_curves"}

IN_PAPERS = OF_STUDIES | ON_MACHINES
PUBLISHED = IN_PAPERS | ON_CALIBRATION
FIGURES = PUBLISHED | IN_NOTEBOOKS
