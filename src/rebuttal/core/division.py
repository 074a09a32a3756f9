"""How the training data are divided among the workers of a run, as the end of a workload's name says. No torch.

| name                   | what worker k reads                                                                      |
|------------------------|------------------------------------------------------------------------------------------|
| `NAME`                 | all samples, as every other worker does, in an order of its own                          |
| `NAME@by_class`        | the samples of some classes, which no other worker has                                   |
| `NAME@dirichlet=ALPHA` | as many samples as the others, its share of each class drawn from a Dirichlet law        |

A run writes down among how many workers, too: `digits_mlp@by_class/4`.

The Dirichlet law is that of Hsu, Qi & Brown (2019), Measuring the effects of non-identical data distribution for
federated visual classification, arXiv:1909.06335: worker k draws shares q_k ~ Dir(ALPHA p), p those of the whole data,
then its samples by q_k, without replacement. Once a class is used up, the others take its share.
"""

import functools
import math
import re
from dataclasses import dataclass, replace

import numpy as np

from rebuttal.base.errors import nearest, refuse
from rebuttal.base.seeding import generator

KEY = "workload's division"
KINDS = ("by_class", "dirichlet")
FORM = re.compile(r"(?P<kind>[a-z_]+)(?:=(?P<alpha>[^/@]*))?(?:/(?P<parts>[1-9][0-9]{0,5}))?")
ALLOWED = "by_class, or dirichlet=ALPHA with a number ALPHA > 0"
ALPHAS = (1e-6, 1e6)  # of a Dirichlet law that can be drawn from and told from the limits that it has


@dataclass(frozen=True)
class Law:
    """One way to divide data. alpha: of `dirichlet`. parts: among how many workers; 0 where no run has said it."""

    kind: str
    alpha: float = 0.0
    parts: int = 0

    def __str__(self) -> str:
        alpha = f"={self.alpha:g}" if self.kind == "dirichlet" else ""
        return f"@{self.kind}{alpha}{f'/{self.parts}' if self.parts else ''}"

    def check(self, name: str, classes: int, samples: int | None = None) -> None:
        """Refuse data that cannot be divided so. classes: of the data set `name`; below 2, a sample has none.

        Raises:
            InputError: samples without classes, or more workers than classes or samples.
        """
        if classes < 2:
            raise refuse(
                "workload", f"{name}{self}", f"a workload whose samples have classes; {name} has none"
            )
        most, what = (classes, "classes") if self.kind == "by_class" else (samples or self.parts, "samples")
        if self.parts > most:
            allowed = f"at most {most} who read data, the {what} of {name}, which are divided {words(self)}"
            raise refuse("workers", self.parts, allowed)


def parsed(name: str) -> tuple[str, Law | None]:
    """(name of the workload, how its data are divided) of a name. In a path, an @ is one of the path's own.

    Raises:
        InputError: a division that there is not.
    """
    base, at, said = name.rpartition("@")
    word = re.split("[=/]", said)[0]
    if not at or (":" in base and word not in KINDS):
        return name, None
    found = FORM.fullmatch(said)
    if not found or word not in KINDS or (word == "dirichlet") == (found["alpha"] is None):
        raise refuse(KEY, said, ALLOWED + nearest(word, KINDS))
    return base, Law(word, _alpha(found["alpha"]), int(found["parts"] or 0))


def base(name: str) -> str:
    """The name of a workload without what it says of a division."""
    return parsed(name)[0]


def bound(name: str, parts: int) -> str:
    """The name under which a run with so many readers of data writes down its workload.

    Raises:
        InputError: the name says another number, or as `parsed`.
    """
    workload, law = parsed(name)
    if law is None:
        return name
    if law.parts not in (0, parts):
        raise refuse(
            "workload", name, f"{workload}{replace(law, parts=parts)}: so many parts does this run read"
        )
    return f"{workload}{replace(law, parts=parts)}"


def words(law: Law) -> str:
    """The law, as the end of a sentence that begins with 'the data are divided'."""
    return "by class" if law.kind == "by_class" else f"by a Dirichlet law with α = {law.alpha:g}"


def _alpha(said: str | None) -> float:
    if said is None:
        return 0.0
    try:
        alpha = float(said)
    except ValueError:
        alpha = math.nan
    if not ALPHAS[0] <= alpha <= ALPHAS[1]:
        raise refuse(f"{KEY}: dirichlet", said, f"a number > 0, from {ALPHAS[0]:g} to {ALPHAS[1]:g}")
    return alpha


@dataclass(frozen=True, eq=False)
class Division:
    """The samples of each worker: every sample is one worker's. labels: the class of each sample, whole numbers [n]."""

    name: str
    labels: np.ndarray
    law: Law

    def part(self, seed: int, worker: int) -> np.ndarray:
        """The samples of a worker in run `seed`: int64, ascending.

        Raises:
            InputError: there is no such worker, or no run has said how many there are.
        """
        if not self.law.parts:
            raise refuse(
                "workload", f"{self.name}{self.law}", f"{self.name}{self.law}/N, with the number of workers"
            )
        if not 0 <= worker < self.law.parts:
            allowed = (
                f"from 0 to {self.law.parts - 1}: the method's `reads(workers)` says that it reads so many"
            )
            raise refuse("shard", worker, allowed)
        return self._parts(seed)[worker]

    @functools.lru_cache(maxsize=64)  # noqa: B019 - of a workload, of which a process has a few
    def _parts(self, seed: int) -> list[np.ndarray]:
        drawn = generator(seed, "division")
        owners = (_by_class if self.law.kind == "by_class" else _by_dirichlet)(self.labels, self.law, drawn)
        return [np.flatnonzero(owners == worker) for worker in range(self.law.parts)]


def _by_class(labels: np.ndarray, law: Law, drawn: np.random.Generator) -> np.ndarray:
    """The worker of each sample [n]: classes are dealt out in an order that is drawn."""
    classes = np.unique(labels)
    owner = np.empty(len(classes), dtype=np.int64)
    owner[drawn.permutation(len(classes))] = np.arange(len(classes)) % law.parts
    return owner[np.searchsorted(classes, labels)]


def _by_dirichlet(labels: np.ndarray, law: Law, drawn: np.random.Generator) -> np.ndarray:
    """The worker of each sample [n]."""
    _, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    left = [drawn.permutation(np.flatnonzero(numbers == c)) for c in range(len(counts))]
    owners = np.empty(len(labels), dtype=np.int64)
    for worker in range(law.parts):
        wanted = len(labels) * (worker + 1) // law.parts - len(labels) * worker // law.parts
        shares = drawn.dirichlet(law.alpha * counts / len(labels))
        for c, count in enumerate(_counts(wanted, shares, np.array([len(some) for some in left]), drawn)):
            owners[left[c][:count]] = worker
            left[c] = left[c][count:]
    return owners


def _counts(wanted: int, shares: np.ndarray, there: np.ndarray, drawn: np.random.Generator) -> np.ndarray:
    """How many samples of each class, [C], `wanted` in all: drawn by these shares, never more than there are."""
    taken = np.zeros_like(there)
    while wanted > taken.sum():
        weights = np.where(there > taken, shares, 0.0)
        if weights.sum() == 0:  # none of its classes has any left
            weights = (there - taken).astype(float)
        more = drawn.multinomial(wanted - taken.sum(), weights / weights.sum())
        taken = np.minimum(taken + more, there)
    return taken
