"""What every kind of rule is: a model of what a paper.yaml says, a judge of result files, and its own words."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rebuttal.evidence.judging import Asked, PlaceOutcome
from rebuttal.evidence.naming import words
from rebuttal.evidence.result_files import Results

Text = Annotated[str, Field(min_length=1, description="a text")]
MOST_NAMES = 500  # in one list: each of them is looked up, and written down
Names = Annotated[
    list[str], Field(min_length=1, max_length=MOST_NAMES, description=f"a list of 1 to {MOST_NAMES} names")
]
All = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=MOST_NAMES,
        description=f"a list of 1 to {MOST_NAMES} names; leave it out for all",
    ),
]
Number = Annotated[float, Field(allow_inf_nan=False, description="a number")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, description="a number > 0")]


def rising(bounds: list[Any] | None) -> list[Any] | None:
    """Bounds, low and high, null for none. Raises ValueError if they are the wrong way round, or both are none."""
    if bounds is not None:
        low, high = bounds
        if low is None and high is None:
            raise ValueError("no bound")
        if low is not None and high is not None and low > high:
            raise ValueError("the wrong way round")
    return bounds


Rising = AfterValidator(rising)
Rate = Literal["tuned", "shared"]

OPTION = r", \w+ = [\w.]+"  # of a label in words: no sentence has one


class Strict(BaseModel):
    """A part of the file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Found:
    """What a rule found in every place.

    asked: what it asked of the effect; None where it asks nothing. levels: of a trend, the mean at each variant.
    epochs: how long the runs were trained; empty for what is not trained.
    """

    places: tuple[PlaceOutcome, ...]
    asked: Asked | None
    unit: str
    conditions: str
    files: tuple[str, ...]
    levels: Mapping[str, float] = field(default_factory=dict)
    epochs: str = ""


class Rule(Strict):
    """A rule of a paper.yaml. names_runs: whether it names methods of the study; of_study: whether it needs one."""

    kind: str
    names_runs: ClassVar[bool] = False
    of_study: ClassVar[bool] = True

    @property
    def decides(self) -> bool:
        """Whether it can say yes or no."""
        return True

    @abstractmethod
    def judge(self, data: Results) -> Found:
        """What the result files say. Raises InputError if the rule names what they do not have."""

    @abstractmethod
    def in_words(self) -> str:
        """The rule as one sentence without its full stop."""

    @abstractmethod
    def measured(self) -> str:
        """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""

    def says(self) -> str:
        """The sentence about its effect where the file gives none, with slots (`evidence.answers`)."""
        return f"{re.sub(OPTION, '', self.measured())}: {{value}}"


def clock(data: Results) -> str:
    """The clock that the runs of a study ran on, in words."""
    return f"{data.curves.attrs['clock']} clock"


def target_in_words(multiple: float) -> str:
    """The target of a rule, in words."""
    return f"target: {multiple:g} times the validation error of tuned mini-batch SGD"


def models_in_words(named: list[str] | None) -> str:
    """The straggler models of a rule, in words."""
    if not named:
        return ", for every straggler model"
    return f", for the straggler model{'s' * (len(named) > 1)} {', '.join(map(words, named))}"
