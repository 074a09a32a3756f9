"""The shape of the parameters: its keys, their types and their bounds.

Types are strict ("5" is not 5, true is not 1) and unknown keys are refused. A description says what is allowed; it is
the sentence that a refused value is answered with. What one value says about another is in `checks`.

A study is a section with `methods` and, under its name in every profile, its numbers: `file_with` makes the shape of a
file that has certain studies.
"""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from rebuttal.params.engine import ALLOWED, LOCAL

ProfileName = Literal["quick", "standard", "full", "ci"]
PROFILES: tuple[str, ...] = get_args(ProfileName)
STUDIES = ("backup_workers", "comparison")  # which a file must have: the pipeline runs them

Whole = Annotated[int, Field(ge=1, description="a whole number >= 1")]
Points = Annotated[int, Field(ge=2, description="a whole number >= 2")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 2**32 - 1")]
Rate = Annotated[float, Field(gt=0, description="a number > 0")]
Name = Annotated[str, Field(min_length=1, description="a name")]
Names = Annotated[list[Name], Field(min_length=1, description="a list of at least one name")]
Counts = Annotated[list[Whole], Field(min_length=1, description="a list of at least one whole number >= 1")]

Elsewhere = Annotated[
    dict[Name, Whole], Field(description="whole numbers >= 1 by workload, as in {digits_cnn: 3}")
]


class Section(BaseModel):
    """A section of the file: only its own keys, only values of the right type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Numbers(Section):
    """How large a study is under one profile. workers_on, epochs_on: in their place, on the workloads named."""

    workloads: Names
    machines: Names
    workers: Whole
    workers_on: Elsewhere = {}
    batch: Annotated[
        int, Field(ge=1, description="a whole number >= 1: the samples of one worker's gradient")
    ]
    epochs: Whole
    epochs_on: Elsewhere = {}
    points: Points
    seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]
    tuning_seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]
    learning_rates: Annotated[
        list[Rate], Field(min_length=2, description="a list of at least two numbers > 0")
    ]
    shared_learning_rate: Rate


class Grid(Section):
    """What the analyses are computed for: nodes, samples on each; workloads timed over so many samples.

    horizons: the updates after which rates of convergence are read. worker_counts: on how many workers asynchronous
    training and synchronous training with a backup are compared, the fewest of them two.
    """

    nodes: Counts
    batches: Counts
    workloads: Names
    samples: Counts
    horizons: Counts
    worker_counts: Counts = [2, 8]


class Profile(Section):
    """What is no study of a profile; the studies' numbers are among its fields too, each under its name."""

    analyses: Grid

    def numbers(self, study: str) -> Numbers:
        """How large a study is."""
        return getattr(self, study)


Options = Annotated[dict[str, Any], Field(description="options of the program, as in {b: 2}")]


UpdateRule = Annotated[
    dict[str, Any], Field(description="a name with its options, as in {name: momentum, momentum: 0.9}")
]


class Method(Section):
    """A method of a study: a program, with or without options, everywhere or only on some workloads and machines.

    `rule` is the update rule that its gradients go through; without one, plain SGD.
    """

    program: Name
    rule: UpdateRule = {"name": "sgd"}
    variants: Annotated[
        list[Options] | None, Field(min_length=1, description="a list of options, as in [{b: 1}, {b: 2}]")
    ] = None
    workloads: Names | None = None
    machines: Names | None = None


class Methods(Section):
    """What a study compares, under every profile."""

    methods: Annotated[
        dict[str, Method], Field(min_length=1, description="a section with at least one method")
    ]


class File(Section):
    """What is no study of params.yaml; the studies' methods are among its fields too, each under its name."""

    profile: ProfileName
    data_root: Annotated[
        str, Field(min_length=1, description="a folder, absolute or relative to params.yaml")
    ]
    device: Literal["auto", "cpu", "cuda"]
    engine: Annotated[str, Field(min_length=1, description=ALLOWED)] = LOCAL

    @property
    def studies(self) -> tuple[str, ...]:
        """The studies' names, in the order of the file."""
        return tuple(name for name in type(self).model_fields if isinstance(getattr(self, name), Methods))

    def methods(self, study: str) -> Methods:
        """What a study compares."""
        return getattr(self, study)

    def under(self, profile: str) -> Profile:
        """How large everything is under a profile."""
        return getattr(self, profile)


def file_for(content: Mapping[str, Any]) -> type[File]:
    """The shape of a file with this content: the pipeline's studies and every other section with `methods`."""
    others = [name for name, value in content.items() if isinstance(value, dict) and "methods" in value]
    return _file_with(tuple(dict.fromkeys([*STUDIES, *others])))


@functools.cache
def _file_with(studies: tuple[str, ...]) -> type[File]:
    """The shape of a file that has these studies."""
    sizes: dict[str, Any] = dict.fromkeys(studies, (Numbers, ...))
    profile = create_model("Profile", __base__=Profile, **sizes)
    sections: dict[str, Any] = dict.fromkeys(PROFILES, (profile, ...))
    compared: dict[str, Any] = dict.fromkeys(studies, (Methods, ...))
    return create_model("File", __base__=File, **sections, **compared)
