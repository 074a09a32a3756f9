"""docs/verdict_error_rates.md, written from what `benchmarks/verdicts.py` measured: no number in it was typed."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.evidence import markdown_table

Measured = Mapping[str, Any]
HEAD = """# Error rates of verdicts

Written by `python benchmarks/verdicts.py --write reference/verdict_error_rates.json --page docs/verdict_error_rates.md`
from {studies} synthetic studies with known truth in each row (`rebuttal.evidence.error_rates` says how they are made),
judged by the rules that judge real ones, from made-up result files to the verdict. Effects and margins are in
standard deviations of one pair of runs, n counts seeds. [verdicts.md](verdicts.md) says what follows.
"""
ALIKE = """Both methods are alike: `no difference` is right, and a word for one of them is wrong."""
BEST = """Variants equal to the baseline but for noise. The rule takes the one that is fastest in these very runs, and
asks whether it is faster than the baseline."""
THERE = "The effect is there, so `supported` is right."
WITHIN = """The rule asks whether the methods are equal within the margin; where the true effect is as large as the
margin or larger, `supported` is wrong."""
SECTIONS = {  # what a row shows: title, text, and which of its settings differ
    "no effect": ("Without an effect", ALIKE, ("noise", "kind", "seeds", "machines")),
    "best of equal variants": ("The best of several variants", BEST, ("variants", "kind", "seeds")),
    "power": ("Power", THERE, ("effect", "seeds")),
    "equivalence": ("Equivalence", WITHIN, ("margin", "effect", "seeds")),
}


def page(content: Mapping[str, Any]) -> str:
    """The whole page. content: what the benchmark writes, rows and bootstrap_coverage."""
    rows: Sequence[Measured] = content["rows"]
    parts = [HEAD.format(studies=f"{rows[0]['studies']:,}")]
    for shown, (title, about, keys) in SECTIONS.items():
        parts.append(
            f"## {title}\n\n{about}\n\n{_table([row for row in rows if row['shown'] == shown], keys)}"
        )
    parts.append(_bootstrap(content["bootstrap_coverage"], rows))
    return "\n".join(parts)


def _table(rows: Sequence[Measured], keys: Sequence[str]) -> str:
    shares = _shares(rows[0])
    cells = [
        [*(str(row[key]) for key in keys), *(f"{100 * row[share]:.1f} %" for share in shares)] for row in rows
    ]
    head = ["n" if key == "seeds" else key for key in keys] + [share.replace("_", " ") for share in shares]
    return markdown_table.table(head, cells)


def _shares(row: Measured) -> list[str]:
    """What was measured: the words that verdicts had then, and the coverage. It stands behind the setting."""
    return list(row)[list(row).index("margin") + 1 :]


def _bootstrap(coverage: Mapping[str, float], rows: Sequence[Measured]) -> str:
    """Student's intervals beside the bootstrap's, on the same kinds of noise."""
    ours = {f"{row['noise']}, n={row['seeds']}": row["coverage"] for row in rows
            if row["shown"] == "no effect" and row["kind"] == "difference" and row["machines"] == 1}  # fmt: skip
    cells = [[name, f"{100 * ours[name]:.1f} %", f"{100 * share:.1f} %"] for name, share in coverage.items()]
    about = "Coverage of the intervals of verdicts, and of the BCa bootstrap with its level widened for few values."
    return f"## Beside the bootstrap\n\n{about}\n\n{markdown_table.table(['noise', 'Student', 'bootstrap'], cells)}"
