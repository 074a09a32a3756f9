"""The closed set of rules by which a verdict is computed, as they are written in a paper.yaml."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, description="a text")]
Names = Annotated[list[str], Field(min_length=1, description="a list of names, at least one")]
All = Annotated[list[str], Field(min_length=1, description="a list of names; leave it out for all")]
Number = Annotated[float, Field(allow_inf_nan=False, description="a number")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, description="a number > 0")]
What = Literal[
    "final_test_metric", "final_test_error", "final_test_loss", "seconds_to_target", "updates_to_target",
    "epochs_to_target", "samples_to_target", "seconds_per_update", "staleness_mean", "utilisation", "dropped_share",
]  # fmt: skip


class Strict(BaseModel):
    """A part of the file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Compare(Strict):
    """`of` against `against`, paired by seed, on every workload and machine.

    Each side names labels, or methods for all of their variants; of several the best is taken, chosen on validation
    data. Times and seconds per update are
    compared as ratios (of / against), everything else as differences (of - against). better: which side of `margin`
    supports the statement; "equal" is support within the margin on both sides.
    """

    kind: Literal["compare"]
    what: What
    of: Names
    against: Names
    better: Literal["higher", "lower", "equal"]
    margin: Number
    rate: Literal["tuned", "shared"] = "tuned"
    target: Positive = 3.0
    workloads: All | None = None
    machines: All | None = None


class Trend(Strict):
    """The slope of `what` along the variants whose labels begin with `of`: rising or falling by more than margin."""

    kind: Literal["trend"]
    what: What
    of: Text
    direction: Literal["rising", "falling"]
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False, description="a number >= 0")] = 0.0
    rate: Literal["tuned", "shared"] = "tuned"
    target: Positive = 3.0
    workloads: All | None = None
    machines: All | None = None


class OrderStatistics(Strict):
    """Formula and simulation of the update time agree within `tolerance` standard errors, for each straggler model."""

    kind: Literal["order_statistics"]
    stragglers: All | None = None
    tolerance: Positive = 4.0


class BestBackups(Strict):
    """The best number of backups among `workers` machines lies in `between`, for each straggler model."""

    kind: Literal["best_backups"]
    workers: Annotated[int, Field(ge=2, description="a whole number >= 2")]
    between: Annotated[
        list[int], Field(min_length=2, max_length=2, description="two whole numbers, low and high")
    ]
    stragglers: All | None = None


class ProductIdentity(Strict):
    """The two factors of the speed-up of `of` over `against` multiply to the whole, within a relative tolerance."""

    kind: Literal["product_identity"]
    of: Text
    against: Text
    rate: Literal["tuned", "shared"] = "tuned"
    tolerance: Positive = 1e-9
    target: Positive = 3.0
    workloads: All | None = None
    machines: All | None = None


Bound = Annotated[
    float | None, Field(allow_inf_nan=False, description="a number, or null for no bound on that side")
]


class Reading(Strict):
    """A variable of an analysis, read where its coordinates have the labels of `where`, lies within two bounds.

    data: a name of `rebuttal.core.schemas.ANALYSES`. where: dim -> a label or several. each: a dim whose labels are
    judged one by one. statistic: what of the numbers left is judged; "all" is support if every number lies within the
    bounds, and contradiction if none does. Along a dim `seed` there is an interval, and fewer than five seeds decide
    nothing.
    """

    kind: Literal["reading"]
    data: Text
    variable: Text
    within: Annotated[
        list[Bound], Field(min_length=2, max_length=2, description="two bounds, low and high; null for none")
    ]
    where: Annotated[
        dict[str, str | int | float | list[str] | list[int] | list[float]],
        Field(description="labels by dim, as in {form: delayed}"),
    ] = Field(default_factory=dict)
    each: Text | None = None
    statistic: Literal["all", "highest", "lowest", "median", "mean"] = "all"


class Explained(Strict):
    """A question that asks for words or a diagram: nothing is measured, and the page says so.

    methods: whose pages answer it; references: addresses of what else does.
    """

    kind: Literal["explained"]
    methods: All | None = None
    references: All | None = None


Rule = Compare | Trend | OrderStatistics | BestBackups | ProductIdentity | Reading | Explained
RULES: dict[str, type[Rule]] = {
    "compare": Compare,
    "trend": Trend,
    "order_statistics": OrderStatistics,
    "best_backups": BestBackups,
    "product_identity": ProductIdentity,
    "reading": Reading,
    "explained": Explained,
}
