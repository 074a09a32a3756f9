"""Sizes from several places: what each says for every profile and for one, the last word holding."""

from typing import Any, TypeVar

from rebuttal.base.config.refusals import validate
from rebuttal.base.errors import InputError
from rebuttal.studies.params.schema import EVERY, Numbers, Section

Model = TypeVar("Model", bound=Section)


def merged(model: type[Model], *sizes: Section, profile: str) -> Model:
    """What sections with sizes say for a profile, the last word holding, as the whole of a model.

    Raises:
        InputError: none of them says something that is needed.
    """
    found: dict[str, Any] = {}
    for section in sizes:
        found |= _said(section, profile)
    try:
        return validate(model, found)
    except InputError as error:
        raise InputError(f"{'sizes' if model is Numbers else 'analyses'}.{profile}.{error}") from None


def _said(sizes: Section, profile: str) -> dict[str, Any]:
    """What a section with sizes says for one profile."""
    found: dict[str, Any] = {}
    for part in (EVERY, profile):
        given: Section = getattr(sizes, part)
        found |= {name: getattr(given, name) for name in given.model_fields_set}
    return found
