"""The form by which a reader selects methods, one seed and a target for all charts and tables of a page."""

from collections.abc import Mapping, Sequence
from html import escape

from rebuttal.figures.method_groups import GROUPS, group, group_of
from rebuttal.figures.theme import family, words
from rebuttal.site import html


def form(methods: Sequence[str], seeds: Sequence[str], targets: Sequence[str]) -> str:
    """The form by which a page's charts and tables are selected; empty for a page without anything to select.

    methods, seeds, targets: what the page's figures have, each once, in order of appearance.
    """
    if not (methods or seeds or targets):
        return ""
    lists = [
        html.element("b", "In all figures"),
        _methods(methods) if len(methods) > 1 else "",
        _list("seed", "all of them", {seed: f"{seed} alone" for seed in sorted(seeds, key=int)}),
        _list("target", "each figure's own", _named(sorted(targets, key=float))),
        html.element("button", "Reset", type="reset"),
        html.element("output", "", aria_live="polite"),
    ]
    label = "Selection for all figures of this page"
    return html.element("form", "\n".join(lists), id="selection", hidden="", aria_label=label)


def _named(targets: Sequence[str]) -> dict[str, str]:
    """The targets of the sweep, hardest first; 1 is what the tuned baseline reaches on validation data."""
    ends = {targets[0]: " (hardest)", targets[-1]: " (easiest)"} if len(targets) > 1 else {}
    return {one: f"{one} of the sweep{ends.get(one, '')}" for one in targets}


def _list(name: str, first: str, options: Mapping[str, str]) -> str:
    """A list of one choice or none."""
    if not options:
        return ""
    shown = "".join(html.element("option", escape(said), value=value) for value, said in options.items())
    none = html.element("option", escape(first), value="")
    return html.element("label", f'{name.capitalize()} <select name="{name}">{none}{shown}</select>')


def _methods(labels: Sequence[str]) -> str:
    """A box for every variant, by groups, behind a toggle that says how many are chosen."""
    groups: dict[str, list[str]] = {key: [] for key in [*GROUPS, "other"]}
    for label in labels:
        groups[group_of(family(label))].append(label)
    sets = [
        html.element("fieldset", html.element("legend", escape(group(key).name)) + "".join(map(_box, some)))
        for key, some in groups.items()
        if some
    ]
    summary = '<summary>Methods: <span class="chosen">all</span></summary>'
    return html.element("details", f'{summary}<div class="boxes">{"".join(sets)}</div>')


def _box(label: str) -> str:
    return (
        f'<label><input type="checkbox" name="method" value="{escape(label)}"> {escape(words(label))}</label>'
    )
