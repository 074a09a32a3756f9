"""Error rates of verdicts, measured on synthetic studies whose truth is known: 1,000 of each kind.

Coverage of the intervals, wrong verdicts where there is no effect, power against the size of the effect, equivalence
at its margin, and what choosing the best of several variants costs. Some minutes on one core.

    python benchmarks/verdicts.py [--studies 1000] [--write reference/verdict_error_rates.json]
                                  [--page docs/verdict_error_rates.md]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.evidence import arrays, error_rates, error_table
from rebuttal.evidence.error_rates import NOISE, ErrorRateSetting

SEEDS = (5, 10)
POWER = (0.5, 1.0, 1.5, 2.0, 3.0)
MARGIN = 2.0  # of the rules of equivalence, in standard deviations of one pair
BOOTSTRAPPED = 1000  # arrays of one kind for the interval that verdicts do not use


def settings(studies: int) -> Iterator[tuple[str, ErrorRateSetting, str, float]]:
    """(what is shown, setting, `better`, `margin`) of every row."""
    for seeds in SEEDS:
        for noise in NOISE:
            for kind in ("difference", "ratio"):
                yield "no effect", ErrorRateSetting(kind, 0.0, noise, seeds, studies=studies), "higher", 0.0
        for machines in (2, 4):
            yield (
                "no effect",
                ErrorRateSetting(seeds=seeds, machines=machines, studies=studies),
                "higher",
                0.0,
            )
        for variants in (3, 10):
            one = ErrorRateSetting("ratio", seeds=seeds, variants=variants, studies=studies)
            yield "best of equal variants", one, "lower", 0.0
        for effect in POWER:
            yield "power", ErrorRateSetting(effect=effect, seeds=seeds, studies=studies), "higher", 0.0
        for effect in (0.0, 1.0, MARGIN, 3.0):
            yield (
                "equivalence",
                ErrorRateSetting(effect=effect, seeds=seeds, studies=studies),
                "equal",
                MARGIN,
            )


def bootstrap_coverage(noise: str, seeds: int) -> float:
    """Of the BCa bootstrap on the same noise: the share of its intervals that hold the truth."""
    random = np.random.default_rng(0)
    found = arrays.bootstrap_rows(NOISE[noise](random, (BOOTSTRAPPED, seeds)))
    return float(((found[:, 1] <= 0) & (found[:, 2] >= 0)).mean())


def row(shown: str, setting: ErrorRateSetting, better: str, margin: float) -> dict[str, Any]:
    """One row of the table, printed."""
    found = asdict(error_rates.rates(setting, better, margin))
    print(
        f"{shown:22} {setting.kind:10} {setting.noise:11} n={setting.seeds:2} machines={setting.machines} "
        f"variants={setting.variants:2} effect={setting.effect:3.1f} {better:6} "
        + "  ".join(f"{name} {share:.3f}" for name, share in found.items()),
        flush=True,
    )
    return {"shown": shown, **asdict(setting), "better": better, "margin": margin, **found}


def main() -> None:
    """Print one row per setting, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    rows = [row(*one) for one in settings(given.studies)]
    bootstrap = {
        f"{noise}, n={seeds}": bootstrap_coverage(noise, seeds) for noise in NOISE for seeds in SEEDS
    }
    print(
        "coverage of the bootstrap:",
        *(f"{name}: {share:.3f}" for name, share in bootstrap.items()),
        sep="\n  ",
    )
    content = {"rows": rows, "bootstrap_coverage": bootstrap}
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(content, indent=1) + "\n")
    if given.page:
        given.page.write_text(error_table.page(content))


if __name__ == "__main__":
    main()
