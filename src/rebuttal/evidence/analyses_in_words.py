"""What verdicts read from analyses, in plain words: of each variable what it is, and of each analysis what it asks."""

from collections.abc import Mapping
from typing import Any

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence.naming import words

FEW = 2  # labels that a table names; of more it says how many


def variable(data: str, name: str) -> str:
    """What a variable of an analysis is; its name where no words are known."""
    known = ANALYSES[data].described.get(name) if data in ANALYSES else None
    return (known and known.words) or plain(name)


def unit(data: str, name: str) -> str:
    """The unit of a variable of an analysis; empty where it has none."""
    known = ANALYSES[data].described.get(name) if data in ANALYSES else None
    return known.unit if known and known.unit != "1" else ""


def analysis(data: str) -> str:
    """What an analysis is; its name where no words are known."""
    return ANALYSES[data].words if data in ANALYSES else f"analysis {plain(data)}"


def where(labels: Mapping[str, Any], short: bool = False) -> str:
    """' (form: bucketed; batch: 1 / 2)' of labels by dim; empty for all of them. short: many labels are counted."""
    pairs = {dim: chosen if isinstance(chosen, list) else [chosen] for dim, chosen in labels.items()}
    said = "; ".join(_labels(plain(dim), list(map(str, chosen)), short) for dim, chosen in pairs.items())
    return f" ({said})" if said else ""


def _labels(dim: str, labels: list[str], short: bool) -> str:
    if short and len(labels) > FEW:
        return f"{len(labels)} {dim.removesuffix('s')}{'es' if dim.endswith('ch') else 's'}"
    return f"{dim}: {' / '.join(map(words, labels))}"


def plain(name: str) -> str:
    """A name as a reader says it: 'speedup_bound' -> 'speedup bound'."""
    return name.replace("_", " ")
