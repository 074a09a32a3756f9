"""What DVC shows of a profile's site: `dvc metrics show` a row for each question, `dvc plots show` training curves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rebuttal.core import results
from rebuttal.evidence import papers
from rebuttal.figures.theme import words
from rebuttal.site import page

Row = Mapping[str, Any]  # of a ledger


def write_metrics(rows: Sequence[Row], folder: Path) -> None:
    """A file for each question: the word, the number with its interval, and how many pairs of runs are behind it."""
    clear(folder)
    for row in rows:
        low, high = row["interval"]
        said = {"effect": row["effect"], "low": low, "high": high, "n": row["n"], "word": row["status"]}
        page.write(folder / f"{row['id']}.json", json.dumps(said) + "\n")


def write_curves(folder: Path) -> None:
    """A file for each study of a reviewed paper: test loss against epochs at the tuned rates, mean over the seeds.

    Of several workloads and machines the first.
    """
    clear(folder)
    for name in papers.reviewed():
        if papers.load(name).study:
            page.write(folder / f"{name}.csv", _curves(name))


def _curves(study: str) -> str:
    curves = results.load_curves(study)
    both = curves.reset_coords("epoch")[["test_loss", "epoch"]]
    first = both.isel(workload=0, machine=0).sel(rate="tuned").mean("seed")
    named = first.assign_coords(method=[words(str(label)) for label in first.method.values])
    rows = named.to_dataframe().reset_index()[["epoch", "test_loss", "method"]].dropna()
    return str(rows.to_csv(index=False, float_format="%.6g"))


def clear(folder: Path) -> None:
    """Nothing of an earlier run is left: a question that is gone has no metric."""
    for path in sorted(folder.glob("*")):
        path.unlink()
