"""A variant's options against the dataclass of its program: names, types, then the program's own word."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rebuttal.base import arguments
from rebuttal.base.config.refusals import dotted, missing_key, unknown_key
from rebuttal.base.errors import InputError, refuse
from rebuttal.methods import check_workers

SPOKEN = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def check(place: str, program: type, given: Mapping[str, Any], workers: int) -> None:
    """Refuse options that `program` does not have, or cannot run with on so many workers. Raises InputError."""
    known = {field.name: field for field in fields(program) if field.init}
    for option, value in given.items():
        if option not in known:
            raise unknown_key(dotted(place, option), value, list(known))
    hints = get_type_hints(program)
    for name, field in known.items():
        if name in given:
            check_type(dotted(place, name), given[name], hints[name])
            if hints[name] is int:
                arguments.whole(dotted(place, name), given[name], -arguments.MOST)
        elif _is_needed(field):
            raise missing_key(dotted(place, name), _allowed(hints[name]))
    _ask(place, program, given, workers)


def _is_needed(field: Field) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def check_type(key: str, value: Any, hint: Any) -> None:
    """Refuse a value that is not of this type. Raises InputError."""
    adapter = TypeAdapter(
        hint, config=ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    )
    try:
        adapter.validate_python(value)
    except ValidationError:
        names = get_args(hint) if get_origin(hint) is Literal else None
        raise refuse(key, value, names or _allowed(hint)) from None


def _allowed(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    return SPOKEN.get(hint, str(hint))


def _ask(place: str, program: type, given: Mapping[str, Any], workers: int) -> None:
    """The program refuses what is impossible in itself when it is made, and for `workers` in its `check`."""
    try:
        check_workers(program(**given), workers)
    except InputError as error:
        raise InputError(f"{place}.{error}") from None
