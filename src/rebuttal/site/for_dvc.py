"""What DVC shows of a profile's site: `dvc metrics show` a row for each question, `dvc plots show` training curves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rebuttal.base.atomic_write import write_text
from rebuttal.core import results
from rebuttal.evidence import papers
from rebuttal.figures.theme import words

Row = Mapping[str, Any]  # of a ledger


def write_metrics(rows: Sequence[Row], folder: Path) -> None:
    """A file for each question: its word and answer, and for each part the number with its interval."""
    clear(folder)
    for row in rows:
        parts = {one["name"] or "answer": _part(one) for one in row["parts"]}
        said = {"word": row["word"], "answer": row["answer"], **parts}
        write_text(folder / f"{row['id']}.json", json.dumps(said) + "\n")


def _part(one: Row) -> dict[str, Any]:
    low, high = one["interval"]
    return {"word": one["word"], "effect": one["effect"], "low": low, "high": high, "n": one["n"]}


def write_curves(folder: Path) -> None:
    """A file for each study of a reviewed paper: test loss against epochs at the tuned rates, mean over the seeds.

    Of several workloads and machines the first.
    """
    clear(folder)
    for name in papers.reviewed():
        if papers.load(name).study:
            write_text(folder / f"{name}.csv", _curves(name))


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
