"""What every kind of rule is: a model of what a paper.yaml says, a judge of result files, and its own words."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rebuttal.evidence.judging import PlaceOutcome
from rebuttal.evidence.naming import words
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.student import Interval

Text = Annotated[str, Field(min_length=1, description="a text")]
Names = Annotated[list[str], Field(min_length=1, description="a list of names, at least one")]
All = Annotated[list[str], Field(min_length=1, description="a list of names; leave it out for all")]
Number = Annotated[float, Field(allow_inf_nan=False, description="a number")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, description="a number > 0")]
Rate = Literal["tuned", "shared"]


class Strict(BaseModel):
    """A part of the file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Found:
    """What a rule found: its outcome in every place, and the effect over all of them."""

    places: tuple[PlaceOutcome, ...]
    overall: Interval
    unit: str
    conditions: str
    files: tuple[str, ...]


class Rule(Strict):
    """A rule of a paper.yaml. names_runs: whether it names methods of the study; of_study: whether it needs one."""

    kind: str
    names_runs: ClassVar[bool] = False
    of_study: ClassVar[bool] = True

    @abstractmethod
    def judge(self, data: Results) -> Found:
        """What the result files say. Raises InputError if the rule names what they do not have."""

    @abstractmethod
    def in_words(self) -> str:
        """The rule as one sentence without its full stop."""

    @abstractmethod
    def measured(self) -> str:
        """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""


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
