"""Classes of a user's own: the one frozen dataclass of a kind in a Python file, by the name `file:PATH.py`.

An instance goes to another process by its file's name, and is made there anew, of the same content.
"""

import copyreg
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import ModuleType
from typing import Any

from rebuttal.base import own_code
from rebuttal.base.errors import InputError, refuse


@dataclass(frozen=True)
class OwnKind:
    """What a file is asked for. key: what its name is given for. parts: what the class must have to call."""

    key: str
    parts: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What is allowed, in words."""
        return f"a file that defines one frozen dataclass with {' and '.join(self.parts)}"

    def class_of(self, name: str) -> type:
        """The class of a file.

        Raises:
            InputError: no such class in it or several, or as `own_code.loaded`.
        """
        file = own_code.loaded(name, self.key)
        only = self._only(name, file.module)
        if only not in copyreg.dispatch_table:
            copyreg.pickle(only, self._by_name(file))  # pyright: ignore[reportArgumentType]
        return only

    def made(self, names: tuple[str, ...], content: str, options: Mapping[str, Any]) -> Any:
        """An instance that another process sent, from the first of the files that is there.

        Raises:
            InputError: there is none of them, or the file has changed since.
        """
        there = (one for one in names if own_code.resolved(one.removeprefix(own_code.PREFIX)).is_file())
        name = next(there, names[0])
        if own_code.fingerprint(name, self.key) != content:
            raise refuse(self.key, name, "the file as it was when the run began; it has changed")
        return self.class_of(name)(**options)

    def _only(self, name: str, module: ModuleType) -> type:
        classes = dict.fromkeys(one for one in vars(module).values() if isinstance(one, type))
        found = [one for one in classes if self._is_one(one, module)]
        frozen = [one for one in found if _is_frozen(one)]
        if len(frozen) == 1:
            return frozen[0]
        had = ", ".join(one.__name__ for one in frozen or found) or "none"
        why = ", which is no frozen dataclass" if found and not frozen else ""
        raise InputError(
            f"{self.key}: got {name!r}, whose {self.key}s are {had}{why}; allowed: {self.wanted}"
        )

    def _is_one(self, one: type, module: ModuleType) -> bool:
        """Whether it is a class of this file that has what the kind has."""
        has_all = all(callable(getattr(one, part, None)) for part in self.parts)
        return one.__module__ == module.__name__ and has_all

    def _by_name(self, file: own_code.Loaded) -> Callable[[Any], tuple]:
        """How an instance is pickled for another process: the file, a hash of its content, and the options."""

        def reduced(one: Any) -> tuple:
            options = {field.name: getattr(one, field.name) for field in fields(one) if field.init}
            names = dict.fromkeys((f"{own_code.PREFIX}{file.path}", own_code.name_of(file.path)))
            return self.made, (tuple(names), file.fingerprint, options)

        return reduced


def _is_frozen(one: type) -> bool:
    return is_dataclass(one) and one.__dataclass_params__.frozen  # pyright: ignore[reportAttributeAccessIssue]
