"""`rebuttal new-paper ID`: the folder of a new paper, sound as it is, with comments on what goes where."""

import re

from rebuttal.base import paths
from rebuttal.base.config import parameter_files
from rebuttal.base.errors import InputError, refuse

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PAPER = """\
# The paper, its claims and its reviewers' concerns, in your own words. Fix every rule before you look at results; what
# changes afterwards is listed under `changed`. docs/adding_a_paper.md explains the keys, docs/verdicts.md the rules.
id: {id}
title: What the paper is called
authors: [First Author, Second Author]
year: 2024
venue: where it appeared
links: ["https://example.org/paper"]
sources: ["The paper's text, its published reviews."]

claims:
  - id: {short}-c1
    text: In one sentence, what the paper says.
    source: "read in the paper's text"
    concerns: [{short}-1]
    answers:
      - figure: convergence
        explain: What the figure shows, and why it answers the claim.
        rule: {{kind: compare, what: final_test_metric, of: [asynchronous], against: [mini_batch],
               better: higher, margin: 0.0}}

concerns:
  - id: {short}-1
    kind: wall-clock   # or baseline, hardware, theory, claim, regime, related work, memory, clarity, setup, ...
    text: What the reviewer wants to know.
    answers:
      - figure: time_to_target
        says: "asynchronous training needs {{value}} times the seconds of mini-batch SGD"
        explain: What the figure shows, and why it answers the question.
        rule: {{kind: compare, what: seconds_to_target, of: [asynchronous], against: [mini_batch],
               better: lower, margin: 1.0}}
  - id: {short}-2
    kind: theory
    text: A question that has no evidence yet. The page lists it as open.
    missing: What an answer would need.
"""
STUDY = """\
# What the paper's study compares. A program is a method of the workbench (docs/methods), or one of the paper's own: a
# file own/PROGRAM.py (docs/adding_a_method.md). `workloads` and `machines` keep a method to some of
# the study's. `rule` (default: plain SGD), `schedule` and `average` say how it trains (docs/update_rules.md).
methods:
  mini_batch: {program: mini_batch, variants: [{shards: 1}, {shards: 4}]}
  asynchronous: {program: asynchronous}
  # mine: {program: mine, rule: {name: momentum, momentum: 0.9}, variants: [{k: 1}, {k: 2}]}

# Machines of the study's own; docs/machines.md lists those that are there, and every key.
machines: {}
#  slow_ethernet:
#    like: ethernet_10g
#    description: nodes like the measured device on 1 Gb/s Ethernet
#    link: {latency_s: 50.0e-6, bandwidth_bytes_per_s: 125.0e+6, source: "assumed: the line rate"}

# How large it is, beyond what `sizes` of params.yaml says: for every profile, and for each.
sizes:
  all:
    workloads: [digits_mlp]
    machines: [ethernet_10g]
  quick: {}
  standard: {}
  full: {}
  ci: {}
"""


def write(paper: str) -> str:
    """Write papers/PAPER; what to do next.

    Raises:
        InputError: an unfit name, or one that is taken.
    """
    if not ID.fullmatch(paper):
        raise refuse(
            "paper", paper, "small letters and digits with single - between, such as decentralised-sgd"
        )
    folder = paths.papers() / paper
    if folder.exists():
        raise InputError(f"paper: got {paper!r}, which is there already: papers/{paper}; allowed: a new name")
    (folder / "own").mkdir(parents=True)
    (folder / "own" / ".gitkeep").touch()
    (folder / "paper.yaml").write_text(PAPER.format(id=paper, short=_short(paper)), encoding="utf-8")
    (folder / parameter_files.STUDY).write_text(STUDY, encoding="utf-8")
    return (
        f"wrote papers/{paper}: paper.yaml, study.yaml and own/, for methods and workloads of its own. To run it, add "
        f"{paper} to `papers` of params.yaml; then `rebuttal check` and `dvc repro`."
    )


def _short(paper: str) -> str:
    """A short beginning for the ids of questions: the initials of the words, or the first letters of one."""
    words = paper.split("-")
    initials = "".join(word[0] for word in words if word[0].isalpha())
    return initials if len(words) > 1 else re.sub(r"[^a-z]", "", paper)[:3]
