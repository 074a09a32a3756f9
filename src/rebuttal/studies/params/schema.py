"""The shape of params.yaml and of a study's file: their keys, their types and their bounds.

Types are strict ("5" is not 5, true is not 1) and unknown keys are refused. A description says what is allowed; it is
the sentence that a refused value is answered with. What one value says about another is in `checks`.

Sizes stand under `all`, for every profile, and under each profile; what is said last holds: `all` of params.yaml, the
profile there, `all` of the study, the profile there. So a study states only what differs.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from rebuttal.base.arguments import MOST, MOST_POINTS, MOST_RATE, MOST_SEED, MOST_WORKERS
from rebuttal.studies.params.engine_choice import ALLOWED, LOCAL

ProfileName = Literal["quick", "standard", "full", "ci"]
PROFILES: tuple[str, ...] = get_args(ProfileName)
EVERY = "all"  # the section beside the profiles that holds for each of them

Whole = Annotated[int, Field(ge=1, le=MOST, description=f"a whole number >= 1, at most {MOST}")]
Workers = Annotated[
    int, Field(ge=1, le=MOST_WORKERS, description=f"a whole number >= 1, at most {MOST_WORKERS}")
]
Points = Annotated[
    int, Field(ge=2, le=MOST_POINTS, description=f"a whole number >= 2, at most {MOST_POINTS}")
]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED, description="a whole number from 0 to 2**32 - 1")]
Rate = Annotated[float, Field(gt=0, le=MOST_RATE, description="a number > 0, at most a million")]
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
    workers: Workers
    workers_on: Elsewhere = {}
    batch: Annotated[
        int,
        Field(
            ge=1,
            le=MOST,
            description=f"a whole number >= 1, at most {MOST}: the samples of one worker's gradient",
        ),
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


class AnalysesGrid(Section):
    """What the analyses are computed for: nodes, samples on each; workloads timed over so many samples.

    seeds, tuning_seeds: of what is drawn. horizons: the updates after which rates of convergence are read.
    worker_counts: on how many workers asynchronous training and synchronous training with a backup are compared, the
    fewest of them two.
    """

    nodes: Counts
    batches: Counts
    workloads: Names
    samples: Counts
    horizons: Counts
    worker_counts: Annotated[
        list[Workers], Field(min_length=1, description="a list of at least one whole number >= 1")
    ]
    seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]
    tuning_seeds: Annotated[list[Seed], Field(min_length=1, description="a list of at least one seed")]


def _parts_of(model: type[Section]) -> type[Section]:
    """The same section with no key that must be there; a key that is there has a value of its type."""
    fields: dict[str, Any] = {
        name: (Annotated[field.annotation, field], None) for name, field in model.model_fields.items()
    }
    return create_model(f"Some{model.__name__}", __base__=Section, **fields)


def _by_profile(model: type[Section]) -> type[Section]:
    """A section with parts of `model` for every profile together, and for each."""
    part = _parts_of(model)
    fields: dict[str, Any] = dict.fromkeys((EVERY, *PROFILES), (part, ...))
    return create_model(f"Sizes{model.__name__}", __base__=Section, **fields)


SizesNumbers, SizesGrid = _by_profile(Numbers), _by_profile(AnalysesGrid)

Options = Annotated[dict[str, Any], Field(description="options of the program, as in {b: 2}")]


UpdateRule = Annotated[
    dict[str, Any], Field(description="a name with its options, as in {name: momentum, momentum: 0.9}")
]


ScheduleOptions = Annotated[
    dict[str, Any], Field(description="decay, warm_up and final, as in {decay: linear, warm_up: 0.05}")
]


class Training(Section):
    """What a gradient goes through, and what is evaluated: of a study, or of one of its methods where that differs.

    rule: the update rule; plain SGD by default. schedule: of the learning rate over a run. average: that of the
    versions, which is evaluated in their place (`update_rules.Recipe`).
    """

    rule: UpdateRule | None = None
    schedule: ScheduleOptions | None = None
    average: Annotated[float | None, Field(ge=0, lt=1, description="a number in [0, 1), as in 0.999")] = None


class MethodEntry(Training):
    """A method of a study: a program, with or without options, everywhere or only on some workloads and machines.

    untuned: whether it is trained at the study's shared learning rate too, for rules and figures with `rate: shared`.
    """

    program: Name
    variants: Annotated[
        list[Options] | None, Field(min_length=1, description="a list of options, as in [{b: 1}, {b: 2}]")
    ] = None
    workloads: Names | None = None
    machines: Names | None = None
    untuned: Annotated[bool, Field(description="true or false")] = False


class StudyFile(Training):
    """papers/PAPER/study.yaml: what a study compares, its own machines, and how large it is under each profile."""

    methods: Annotated[
        dict[str, MethodEntry], Field(min_length=1, description="a section with at least one method")
    ]
    machines: Annotated[
        dict[Name, dict[str, Any]], Field(description="machines of the study's own by name; {} for none")
    ]
    sizes: SizesNumbers  # pyright: ignore[reportInvalidTypeForm]


class ParamsFile(Section):
    """params.yaml."""

    profile: ProfileName
    papers: Annotated[list[Name], Field(description="a list of folders of papers/ that have a study.yaml")]
    device_costs: Annotated[
        str, Field(min_length=1, description="a file of reference/devices, or here: this machine's costs")
    ]
    data_root: Annotated[
        str, Field(min_length=1, description="a folder, absolute or relative to params.yaml")
    ]
    device: Literal["auto", "cpu", "cuda"]
    engine: Annotated[str, Field(min_length=1, description=ALLOWED)] = LOCAL
    sizes: SizesNumbers  # pyright: ignore[reportInvalidTypeForm]
    analyses: SizesGrid  # pyright: ignore[reportInvalidTypeForm]
