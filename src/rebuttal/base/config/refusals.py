"""Pydantic's errors, said in one line: the dotted key, what was given, what is allowed, the nearest valid name."""

from collections.abc import Collection, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from rebuttal.base.errors import InputError, nearest, refuse

Model = TypeVar("Model", bound=BaseModel)
KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", list: "a list",
         tuple: "a list", dict: "a section"}  # fmt: skip
Described = tuple[Any, str | None]  # a type without Annotated and None, and the sentence that describes it


def validate(model: type[Model], value: Mapping[str, Any]) -> Model:
    """`value` as the model. Raises InputError for the first error; a misspelt key goes before the key it leaves out."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        raise _refusal(model, first) from None


def dotted(*parts: int | str) -> str:
    """The key as a user would say it: quick.backup_workers.seeds.2."""
    return ".".join(map(str, parts))


def unknown_key(key: str, given: Any, names: Collection[str]) -> InputError:
    """The error for a key that does not exist, where the keys `names` do."""
    listed = ", ".join(names) or "no key here"
    suggestion = nearest(key.rpartition(".")[2], names)
    return InputError(f"{key}: got an unknown key with the value {given!r}; allowed: {listed}{suggestion}")


def missing_key(key: str, allowed: str) -> InputError:
    """The error for a key that must be there and is not."""
    return InputError(f"{key}: got nothing; allowed: {allowed}")


def _refusal(model: type[BaseModel], error: ErrorDetails) -> InputError:
    place, given = error["loc"], error["input"]
    if error["type"] == "extra_forbidden":
        section, _ = _at(model, place[:-1])
        return unknown_key(dotted(*place), given, list(section.model_fields))
    hint, sentence = _at(model, place)
    names = [str(name) for name in get_args(hint)] if get_origin(hint) is Literal else []
    sentence = sentence or ", ".join(names) or _of_type(hint)
    if error["type"] == "missing":
        return missing_key(dotted(*place), sentence)
    return refuse(dotted(*place), given, names or sentence)


def _of_type(hint: Any) -> str:
    """What a value of this type is, where nobody has described it."""
    keys = getattr(hint, "model_fields", None)
    return (
        f"a section with the keys {', '.join(keys)}"
        if keys
        else KINDS.get(get_origin(hint) or hint, "a value")
    )


def _at(model: type[BaseModel], place: tuple[int | str, ...]) -> Described:
    """The type at a place of the model, and its description."""
    hint: Any = model
    sentence = None
    for part in place:
        hint, sentence = _below(hint, part)
    return hint, sentence


def _below(hint: Any, part: int | str) -> Described:
    """One step down: into a model's field, a list's items or a dict's values."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        field = hint.model_fields[str(part)]
        inner, sentence = _bare(field.annotation)
        return inner, field.description or sentence
    return _bare(get_args(hint)[-1])


def _bare(hint: Any) -> Described:
    """`hint` without Annotated and `| None`, and the first description on the way."""
    sentence = None
    while get_origin(hint) in (Annotated, Union, UnionType):
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            said = (note.description for note in notes if isinstance(note, FieldInfo))
            sentence = sentence or next(said, None)
        else:
            hint = next(choice for choice in get_args(hint) if choice is not NoneType)
    return hint, sentence
