"""The shape of params.yaml: its keys, their types and their bounds.

Types are strict ("5" is not 5, true is not 1) and unknown keys are refused. A description says what is allowed; it is
the sentence that a refused value is answered with. What one value says about another is in `checks`.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

ProfileName = Literal["quick", "full", "ci"]
PROFILES: tuple[str, ...] = get_args(ProfileName)

Whole = Annotated[int, Field(ge=1, description="a whole number >= 1")]
Points = Annotated[int, Field(ge=2, description="a whole number >= 2")]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 2**32 - 1")]
Rate = Annotated[float, Field(gt=0, description="a number > 0")]
Name = Annotated[str, Field(min_length=1, description="a name")]
Names = Annotated[list[Name], Field(min_length=1, description="a list of at least one name")]


class Section(BaseModel):
    """A section of the file: only its own keys, only values of the right type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Numbers(Section):
    """How large a study is under one profile."""

    workloads: Names
    machines: Names
    workers: Whole
    batch: Annotated[
        int, Field(ge=1, description="a whole number >= 1: the samples of one worker's gradient")
    ]
    epochs: Whole
    points: Points
    seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]
    tuning_seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]
    learning_rates: Annotated[
        list[Rate], Field(min_length=2, description="a list of at least two numbers > 0")
    ]
    shared_learning_rate: Rate


class Profile(Section):
    """Every study's numbers under one profile."""

    backup_workers: Numbers
    comparison: Numbers


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
    """The whole of params.yaml."""

    profile: ProfileName
    data_root: Annotated[
        str, Field(min_length=1, description="a folder, absolute or relative to params.yaml")
    ]
    device: Literal["auto", "cpu", "cuda"]
    quick: Profile
    full: Profile
    ci: Profile
    backup_workers: Methods
    comparison: Methods


STUDIES: tuple[str, ...] = tuple(Profile.model_fields)
