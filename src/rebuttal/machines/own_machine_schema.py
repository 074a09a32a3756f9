"""The shape of a machine of a study's own, and what is said of a value that does not fit it, in one line."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from rebuttal.base.errors import InputError, nearest, refuse
from rebuttal.machines.collective_costs import COLLECTIVES

Text = Annotated[str, Field(min_length=1, description="a text")]
Count = Annotated[int, Field(ge=1, description="a whole number >= 1")]
Source = Annotated[
    str, Field(min_length=1, description="a text that begins with one of the words of machines.TAGS")
]


class SchemaPart(BaseModel):
    """A part of the content: only its own keys, only values of the right type. A description says what is allowed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class LinkPart(SchemaPart):
    """A link."""

    latency_s: Annotated[float, Field(ge=0, description="a number of seconds >= 0, as in 1.0e-3")]
    bandwidth_bytes_per_s: Annotated[
        float, Field(gt=0, description="a number of bytes per second > 0, as in 12.5e+6 for 100 Mb/s")
    ]
    source: Source


class StatedPart(SchemaPart):
    """Compute costs that a publication states."""

    gradient_s: Annotated[float, Field(gt=0, description="a number of seconds > 0, of one batch")]
    update_s: Annotated[float, Field(ge=0, description="a number of seconds >= 0")]
    weight_bytes: Count
    source: Source


class DevicePart(SchemaPart):
    """A device whose published figures the compute costs are scaled from."""

    device: Text


class MachinePart(SchemaPart):
    """A machine. The parts that may be a name or a section are looked at by themselves."""

    description: Text
    like: Text | None = None
    link: Any = None
    shard_link: Any = None
    host_link: Any = None
    server_shards: Count | None = None
    stragglers: Any = None
    stragglers_source: Source | None = None
    compute: Any = None
    collective: Literal[tuple(COLLECTIVES)] | None = None  # pyright: ignore[reportInvalidTypeForm]
    nodes_per_host: Count | None = None
    assumptions: Annotated[list[Text], Field(min_length=1, description="a list of texts")] | None = None


Model = TypeVar("Model", bound=SchemaPart)


def validate(model: type[Model], content: Any, place: str) -> Model:
    """The content at `place` as the model. Raises InputError for the first error, an unknown key before all others."""
    if not isinstance(content, Mapping):
        raise refuse(place, content, f"a section with the keys {', '.join(model.model_fields)}")
    for key in content:
        if key not in model.model_fields:
            raise unknown_key(f"{place}.{key}", content[key], list(model.model_fields))
    try:
        return model.model_validate(dict(content))
    except ValidationError as error:
        raise _refusal(model, error.errors(include_url=False, include_context=False)[0], place) from None


def unknown_key(key: str, given: Any, names: Collection[str]) -> InputError:
    """The error for a key that does not exist, where the keys `names` do."""
    allowed = f"{', '.join(names)}{nearest(key.rpartition('.')[2], names)}"
    return InputError(f"{key}: got an unknown key with the value {given!r}; allowed: {allowed}")


def _refusal(model: type[SchemaPart], error: ErrorDetails, place: str) -> InputError:
    name, given = str(error["loc"][0]), error["input"]
    key = ".".join([place, *map(str, error["loc"])])
    hint, sentence = _bare(model.model_fields[name].annotation, model.model_fields[name].description)
    if error["type"] == "missing":
        return InputError(f"{key}: got nothing; allowed: {sentence}")
    return refuse(key, given, get_args(hint) if get_origin(hint) is Literal else sentence or "a text")


def _bare(hint: Any, sentence: str | None) -> tuple[Any, str | None]:
    """A type without Annotated and `| None`, and the description on the way."""
    while get_origin(hint) is not None and get_origin(hint) is not Literal and type(None) in get_args(hint):
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        sentence = sentence or next(
            (note.description for note in notes if hasattr(note, "description")), None
        )
    return hint, sentence
