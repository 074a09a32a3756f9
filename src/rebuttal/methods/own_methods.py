"""Methods of a user's own: the one frozen dataclass with programs in a Python file, by the name `file:PATH.py`.

An instance goes to another process by its file's name, and is made there anew, of the same content.
"""

import ast
import copyreg
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any, TypeGuard

from rebuttal.base import own_code
from rebuttal.base.errors import InputError, refuse

KEY = "method"
WANTED = "a file that defines one frozen dataclass with programs and nodes"


def class_of(name: str) -> type:
    """The method of a file.

    Raises:
        InputError: no method in it or several, one without its number of servers, or as `own_code.loaded`.
    """
    file = own_code.loaded(name, KEY)
    only = _only(name, file.module)
    servers = getattr(only, "servers", None)
    if not isinstance(servers, int) or servers < 0:
        allowed = f"a number >= 0: how many nodes of {only.__name__} are servers, ClassVar[int]"
        raise refuse(f"{KEY} {own_code.short(name)}.servers", servers, allowed)
    if only not in copyreg.dispatch_table:
        copyreg.pickle(only, _by_name(file))  # pyright: ignore[reportArgumentType]
    return only


def definition(name: str) -> str:
    """The first line of what the file says of its method, read without running it; empty if there is none."""
    try:
        tree = ast.parse(own_code.path_of(name, KEY).read_bytes())
    except (InputError, OSError, SyntaxError, ValueError):
        return ""
    classes = sorted(filter(_looks_like_one, tree.body), key=_has_programs, reverse=True)
    said = [ast.get_docstring(one) for one in (*classes[:1], tree)] if classes else []
    return next(filter(None, said), "").strip().partition("\n")[0]


def _only(name: str, module: ModuleType) -> type:
    classes = dict.fromkeys(one for one in vars(module).values() if isinstance(one, type))
    found = [one for one in classes if _is_method(one, module)]
    frozen = [one for one in found if _is_frozen(one)]
    if len(frozen) == 1:
        return frozen[0]
    had = ", ".join(one.__name__ for one in frozen or found) or "none"
    why = ", which is no frozen dataclass" if found and not frozen else ""
    raise InputError(f"{KEY}: got {name!r}, whose methods are {had}{why}; allowed: {WANTED}")


def _is_method(one: type, module: ModuleType) -> bool:
    """Whether it is a class of this file that has what a method has."""
    has_all = all(callable(getattr(one, part, None)) for part in ("programs", "nodes"))
    return one.__module__ == module.__name__ and has_all


def _is_frozen(one: type) -> bool:
    return is_dataclass(one) and one.__dataclass_params__.frozen  # pyright: ignore[reportAttributeAccessIssue]


def _looks_like_one(part: ast.stmt) -> TypeGuard[ast.ClassDef]:
    """Whether it is a class that may be the method: with programs, or a frozen dataclass that may inherit them."""
    return isinstance(part, ast.ClassDef) and (
        _has_programs(part) or any("frozen=True" in ast.unparse(one) for one in part.decorator_list)
    )


def _has_programs(one: ast.ClassDef) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "programs" for part in one.body)


def _by_name(file: own_code.Loaded) -> Callable[[Any], tuple]:
    """How an instance is pickled for another process: the file, a hash of its content, and the options."""

    def reduced(one: Any) -> tuple:
        options = {field.name: getattr(one, field.name) for field in fields(one) if field.init}
        return made, (f"{own_code.PREFIX}{file.path}", file.fingerprint, options)

    return reduced


def made(name: str, content: str, options: Mapping[str, Any]) -> Any:
    """A method that another process sent. Raises InputError if its file has changed since."""
    if own_code.fingerprint(name, KEY) != content:
        raise refuse(KEY, name, "the file as it was when the run began; it has changed")
    return class_of(name)(**options)
