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


Rule = Compare | Trend | OrderStatistics | BestBackups | ProductIdentity
RULES: dict[str, type[Rule]] = {
    "compare": Compare,
    "trend": Trend,
    "order_statistics": OrderStatistics,
    "best_backups": BestBackups,
    "product_identity": ProductIdentity,
}
