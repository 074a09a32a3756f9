"""A character-level Transformer language model on any text, in bits per character."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rebuttal.base.own_code import resolved
from rebuttal.workloads import text_files
from rebuttal.workloads.blocks import Block, Tokens, chained
from rebuttal.workloads.likelihood import LIKELIHOOD
from rebuttal.workloads.parts import Target
from rebuttal.workloads.workload import Split, Workload, assemble

LENGTH, WIDTH, BLOCKS, HEADS = 24, 32, 3, 2
MOST_SYMBOLS = 255  # of the alphabet, besides "any other": whole numbers to 256 are exact even in bfloat16
SHARES = (0.90, 0.95)  # training up to the first, validation up to the second, test the rest
MODEL = (
    "Model: Radford et al. 2019, Language Models are Unsupervised Multitask Learners: the pre-normalised causal "
    "Transformer of GPT-2 over characters, three blocks of width 32. Data: "
)
TARGET = Target(
    metric="bits per character",
    rule=(
        "The test bits per character that the tuned mini-batch SGD baseline ends at (median over seeds) and a sweep "
        "above them, fixed before another method is looked at."
    ),
    sweep=(2.0, 4.0),
    lower_is_better=True,
)


def load(name: str, data_root: str | Path | None = None) -> Workload:  # all loaders are called alike
    """pydoc_transformer, or the workload of a name `text:PATH`. Neither uses `data_root`."""
    if name.startswith("text:"):
        return text(name.split(":", 1)[1])
    source = f"the help topics (pydoc_data) that come with Python {text_files.python_version()}."
    return _workload(name, text_files.python_topics(), MODEL + source)


def text(path: str | Path) -> Workload:
    """A workload of a user's own UTF-8 text; a relative path starts at the project's root.

    Raises:
        InputError: as `text_files.read`.
    """
    return _workload(
        f"text:{path}",
        text_files.read(path),
        f"{MODEL}the user's own text, {resolved(path).name}.",
    )


def transformer(symbols: int, length: int, width: int, blocks: int, heads: int) -> nn.Sequential:
    """A chain from symbols [n, T] to logits [n, T, symbols] of the symbol after each, T at most `length`."""
    stack = {f"block{number}": Block(width, heads, 4 * width, causal=True) for number in range(1, blocks + 1)}
    return chained(
        tokens=Tokens(symbols, length, width),
        **stack,
        norm=nn.LayerNorm(width),
        logits=nn.Linear(width, symbols),
    )


def _workload(name: str, content: str, source: str) -> Workload:
    edges = [0, *(round(share * len(content)) for share in SHARES), len(content)]
    parts = [content[begin:end] for begin, end in itertools.pairwise(edges)]
    alphabet = alphabet_of(parts[0])
    return assemble(
        name,
        source=source,
        target=TARGET,
        build=lambda: transformer(1 + len(alphabet), LENGTH, WIDTH, BLOCKS, HEADS),
        splits={
            split: windows(part, alphabet)
            for split, part in zip(("training", "validation", "test"), parts, strict=True)
        },
        objective=LIKELIHOOD,
    )


def alphabet_of(content: str) -> dict[str, int]:
    """The number of each of the most frequent characters, from 1; all others are 0."""
    frequent = sorted(character for character, _ in Counter(content).most_common(MOST_SYMBOLS))
    return {character: number for number, character in enumerate(frequent, 1)}


def windows(content: str, alphabet: dict[str, int]) -> Split:
    """Windows that do not overlap: x float32 [n, T] and the character after each, int64 [n, T]."""
    numbers = np.array([alphabet.get(character, 0) for character in content])
    count = (len(numbers) - 1) // LENGTH
    x, y = (numbers[begin : begin + count * LENGTH].reshape(count, LENGTH) for begin in (0, 1))
    return torch.from_numpy(x).float(), torch.from_numpy(y)
