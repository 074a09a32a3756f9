"""What reproducibility checklists ask, answered by counting: nothing here is typed."""

from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np

from rebuttal.papers import Paper
from rebuttal.report import html
from rebuttal.report.files import notes
from rebuttal.report.verdict import Row
from rebuttal.stats import datasets
from rebuttal.stats.quantities import Results


def html_of(paper: Paper, data: Results, rows: Sequence[Row]) -> str:
    """One line per heading of a reproducibility report."""
    answers = {
        "Scope": f"{len(paper.claims)} claims of the paper and {len(paper.concerns)} concerns of its reviewers",
        "Methodology": _methodology(data),
        "Hyper-parameter search": _search(data),
        "Results": _counts(rows),
        "What was easy": _easy(data, rows),
        "What was difficult": _difficult(data, rows),
        "Error bars": "95 % bootstrap intervals over seeds, paired by seed where two methods are compared; "
        "asymmetric where the data are",
        "Compute": _compute(data),
        "Sources": "; ".join(paper.sources),
    }
    return html.facts({name: escape(text) for name, text in answers.items()})


def _methodology(data: Results) -> str:
    size = data.curves.sizes
    runs = int(datasets.ran(data.curves).sum())
    return (
        f"{size['method']} variants of {len(set(data.curves.file.values))} methods on {size['workload']} workloads and "
        f"{size['machine']} machines, {size['seed']} seeds: {runs} training runs; {data.curves.attrs['clock']} clock"
    )


def _search(data: Results) -> str:
    tuning = data.tuning
    runs = int(tuning.diverged.notnull().sum())
    return (
        f"{tuning.sizes['learning_rate']} learning rates with {tuning.sizes['seed']} tuning seeds for every variant, "
        f"{runs} runs; reported seeds and the test set take no part"
    )


def _counts(rows: Sequence[Row]) -> str:
    count = Counter(row["status"] for row in rows)
    return "; ".join(f"{number} {status}" for status, number in sorted(count.items()))


def _easy(data: Results, rows: Sequence[Row]) -> str:
    runs = datasets.ran(data.curves)
    finite = int((runs & data.curves.reset_coords().diverged_at.isnull()).sum())
    decided = sum(row["status"] != "undecided" for row in rows)
    return f"{finite} of {int(runs.sum())} training runs stayed finite; {decided} of {len(rows)} questions were decided"


def _difficult(data: Results, rows: Sequence[Row]) -> str:
    diverged = int(data.curves.diverged_at.notnull().sum())
    edges = int((data.tuning.at_edge > 0).sum())
    lost = int((data.tuning.diverged > 0).sum())
    times = datasets.time_to_target(data.curves, datasets.targets(data.tuning)).seconds
    missed, tried = int(np.isinf(times).sum()), int(times.notnull().sum())
    undecided = sum(row["status"] == "undecided" for row in rows)
    return (
        f"{diverged} training runs and {lost} tuning runs diverged; {edges} chosen learning rates lie at the edge of "
        f"the grid; {missed} of {tried} attempts to reach a target missed it; {undecided} questions remain undecided"
    )


def _compute(data: Results) -> str:
    """Wall-clock of the training stages, where the timing files tell it; failed runs are part of it."""
    stages = [
        note["stage"]["wall_s"] for note in notes(data.folder, "timing.json").values() if "stage" in note
    ]
    gradients = float(data.summaries.gradients_computed.sum())
    spent = (
        f"{html.number(sum(stages))} s of wall-clock for {len(stages)} training stages (measured)"
        if stages
        else "not recorded"
    )
    return f"{spent}; {gradients:,.0f} gradients on the time lines of the reported seeds"
