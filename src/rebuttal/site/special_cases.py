"""Which known methods are special cases of PPRS: a table each of whose rows is a law of the tests.

`tests/test_laws_pprs.py` runs every row of CASES: the two methods have one order of computation, so their weights agree
to the bit, on real tensors too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal.figures.theme import words
from rebuttal.site import html
from rebuttal.site.verdict import Html

LAWS = "tests/test_laws_pprs.py"
LAW = "test_smoothing_of_nothing_is_the_accelerated_gradient"  # runs every row
NOTHING = {"K": 1, "gamma": 0.0}  # smoothing samples of no width


@dataclass(frozen=True)
class SpecialCase:
    """A method with options that computes what another one computes. why: in words."""

    method: str
    options: Mapping[str, Any]
    other: str
    other_options: Mapping[str, Any]
    why: str


CASES = (
    SpecialCase("pprs", NOTHING | {"m": 3}, "nesterov", {"m": 3},
         "without smoothing it is Nesterov's accelerated gradient"),
    SpecialCase("pprs", NOTHING | {"m": 3, "pipelined": False}, "nesterov", {"m": 3, "pipelined": True},
         "a pipeline changes no value, so without one it is still the accelerated gradient"),
    SpecialCase("nesterov", {"m": 3, "pipelined": True}, "nesterov", {"m": 3},
         "the pipelined accelerated gradient, optimal for smooth functions, is the plain one"),
    SpecialCase("pprs", NOTHING | {"m": 3, "accelerated": False}, "gpipe", {"m": 3},
         "without smoothing and acceleration it is GPipe"),
    SpecialCase("pprs", NOTHING | {"m": 3, "accelerated": False}, "mini_batch", {"shards": 3},
         "which is mini-batch SGD on one node"),
    SpecialCase("pprs", {"K": 3, "m": 2, "gamma": 0.01, "pipelined": False}, "pprs", {"K": 3, "m": 2, "gamma": 0.01},
         "with smoothing too, pipelining changes the clock and nothing else"),
)  # fmt: skip
#: Question -> by sample, by layer.
SIDES = {
    "What a node holds": ("the whole model, and its own share of the samples", "some layers; samples pass through"),
    "What is sent": ("gradients or weights, as large as the model", "activations and their gradients, by the batch"),
    "What an update waits for": (
        "the slowest node, and the sum of all gradients",
        "the first batch to fill the pipeline, and the last to leave it",
    ),
    "What keeps nodes busy": ("more samples on each node", "more micro-batches, or more smoothing samples of each"),
    "How far it goes": ("as many nodes as there are samples in a batch", "as many nodes as there are layers"),
    "Here": ("all_reduce, synchronous, backup_workers", "model_parallel, gpipe, one_forward_one_backward, pprs"),
}  # fmt: skip


def special_cases() -> Html:
    """Distribution by sample beside distribution by layer, and the special cases with their laws."""
    sides = [(question, escape(one), escape(other)) for question, (one, other) in SIDES.items()]
    first = html.table(("", "By sample", "By layer"), sides, "Two ways to distribute training", "cards")
    rows = [
        (escape(_said(case.method, case.options)), escape(_said(case.other, case.other_options)),
         escape(f"{case.why[0].upper()}{case.why[1:]}."), f"<code>{LAW}</code>")
        for case in CASES
    ]  # fmt: skip
    head = ("This", "computes what this computes", "In words", "Law")
    second = html.table(head, rows, f"Special cases, each a law in {LAWS}", "cards files")
    return Html(first + second, f"{len(rows)} special cases")


def _said(method: str, options: Mapping[str, Any]) -> str:
    """A method with its options, as legends have it."""
    return words(" ".join([method, *(f"{name}={str(value).lower()}" for name, value in options.items())]))
