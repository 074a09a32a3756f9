"""What reproducibility checklists ask, answered by counting: nothing here is typed."""

from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np

from rebuttal.evidence import datasets, expected_best, multiplicity, reference_convergence
from rebuttal.evidence.naming import counted
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.result_files import Results
from rebuttal.figures.theme import family, words
from rebuttal.site import html, tuning_verdicts
from rebuttal.site.files import notes
from rebuttal.site.verdict import Row


def html_of(paper: Paper, data: Results, rows: Sequence[Row]) -> str:
    """One line per heading of a reproducibility report."""
    answers = {
        "Scope": f"{len(paper.claims)} claims of the paper and {len(paper.concerns)} concerns of its reviewers",
        "Methodology": _methodology(data),
        "Hyper-parameter search": _search(data),
        "Results": _counts(rows),
        "What was easy": _easy(data, rows),
        "What was difficult": _difficult(data, rows),
        "Error bars": "95 % Student intervals of differences and of logarithms of ratios, paired by seed; "
        "bands of curves are 95 % bootstrap intervals over seeds",
        "Claims corrected together": _together(rows),
        "Reference convergence": _convergence(data),
        "Compute": _compute(data),
        "Sources": "; ".join(source.removesuffix(".") for source in paper.sources),
    }
    return html.facts({name: escape(text) for name, text in answers.items()}) + tuning_verdicts.html_of(
        paper, data
    )


def _methodology(data: Results) -> str:
    size = data.curves.sizes
    runs = int(datasets.ran(data.curves).sum())
    methods = {family(str(label)) for label in data.curves.method.values}
    return (
        f"{counted(size['method'], 'variant')} of {counted(len(methods), 'method')} on "
        f"{counted(size['workload'], 'workload')} and {counted(size['machine'], 'machine')}, "
        f"{counted(size['seed'], 'seed')}: {runs} training runs; {data.curves.attrs['clock']} clock"
    )


def _search(data: Results) -> str:
    tuning = data.tuning
    runs = int(tuning.diverged.notnull().sum())
    return (
        f"{tuning.sizes['learning_rate']} learning rates for every variant, the best of them with "
        f"{counted(tuning.sizes['seed'], 'tuning seed')}, {runs} runs; reported seeds and the test set take no part. "
        f"{_half_budget(data)}"
    )


def _half_budget(data: Results) -> str:
    """What the second half of the trials gains."""
    errors = expected_best.best_of_n(data.tuning)
    half = (errors.sizes["trials"] + 1) // 2
    ratio = (errors.sel(trials=half) / errors.isel(trials=-1)).values
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return ""
    return (
        f"With {half} of these rates, drawn at random, the expected validation error is "
        f"{html.number(float(np.median(ratio)))} times that with all of them (median; "
        f"{html.number(float(ratio.max()))} at worst)"
    )


def _together(rows: Sequence[Row]) -> str:
    """How many claims keep their word when all of them are corrected together."""
    found = [row for row in rows if row.get("holm")]
    decided = [row for row in found if row["word"] in multiplicity.DECIDED]
    lost = [row["id"] for row in decided if row["holm"]["word"] != row["word"]]
    kept = f"of {len(decided)} decided claims {len(decided) - len(lost)} keep their word"
    said = f"{kept} when {len(found)} claims into which chance enters are corrected together (Holm, 5 %)"
    return f"{said}; not {', '.join(lost)}" if lost else said


def _convergence(data: Results) -> str:
    """Whether a method that reads stale weights needs fewer epochs than the best that reads none."""
    found = reference_convergence.checks(data)
    tested = (
        f"of {len(found)} comparisons of stale with fresh gradients (epochs to the target, one-sided, Holm)"
    )
    suspects = [f"{words(one.method)} on {one.where} with {html.number(one.ratio)} times the epochs of "
                f"{words(one.reference)}" for one in found if one.suspect]  # fmt: skip
    if not suspects:
        return f"{tested}, none needs significantly fewer epochs"
    return f"{tested}, suspect, since staleness should not help: {'; '.join(suspects)}"


def _counts(rows: Sequence[Row]) -> str:
    count = Counter(row["word"] for row in rows)
    return "; ".join(f"{number} {status}" for status, number in sorted(count.items()))


def _easy(data: Results, rows: Sequence[Row]) -> str:
    runs = datasets.ran(data.curves)
    finite = int((runs & data.curves.reset_coords().diverged_at.isnull()).sum())
    decided = sum(row["word"] != "cannot tell" for row in rows)
    return f"{finite} of {int(runs.sum())} training runs stayed finite; {decided} of {len(rows)} questions were decided"


def _difficult(data: Results, rows: Sequence[Row]) -> str:
    diverged = int(data.curves.diverged_at.notnull().sum())
    edges = int((data.tuning.at_edge > 0).sum())
    lost = int((data.tuning.diverged > 0).sum())
    times = datasets.time_to_target(data.curves, datasets.targets(data.tuning, curves=data.curves)).seconds
    missed, tried = int(np.isinf(times).sum()), int(times.notnull().sum())
    undecided = sum(row["word"] == "cannot tell" for row in rows)
    return (
        f"{diverged} training runs and {lost} tuning runs diverged; {edges} chosen learning rates lie at the edge of "
        f"the grid; {missed} of {tried} attempts to reach a target missed it; {undecided} questions cannot be told"
    )


def _compute(data: Results) -> str:
    """Wall-clock of the training stages, where the timing files tell it; failed runs are part of it."""
    stages = [
        note["stage"]["wall_s"] for note in notes(data.folder, "timing.json").values() if "stage" in note
    ]
    gradients = float(data.summaries.gradients_computed.sum())
    spent = (
        f"{html.number(sum(stages))} s of wall-clock for {counted(len(stages), 'training stage')} (measured)"
        if stages
        else "not recorded"
    )
    return f"{spent}; {gradients:,.0f} gradients on the time lines of the reported seeds"
