"""What a recipe asks of a whole run: how many updates its schedule is over, and the average of the versions."""

from typing import Any

from rebuttal.core.graph import Order
from rebuttal.core.update_rules import UPDATES, Recipe, Rule


class Shown:
    """What is observed of each version, from 0 on: the version itself, or a recipe's average up to it."""

    def __init__(self, rule: Rule) -> None:
        self._recipe = rule if isinstance(rule, Recipe) and rule.average else None
        self._average: Any = None

    def __call__(self, version: int, weights: Any) -> Any:
        """Of the weights of the version that comes next."""
        if self._recipe:
            self._average = self._recipe.averaged(self._average, version, weights)
        return self._average if self._recipe else weights


def over_order(rule: Rule, order: Order) -> Rule:
    """The rule for a run of this order, from the start to the last of its versions."""
    return rule.over(updates_made(order)) if isinstance(rule, Recipe) else rule


def updates_made(order: Order) -> float:
    """How many updates are behind the last version: of averaged states the mean; the most of what else is put together.

    A version may have several behind it (local SGD), or those of other states (the centre of elastic averaging).
    """
    made: list[float] = []
    for operation, inputs in zip(order.operations, order.inputs, strict=True):
        before = [made[i] for i in inputs] or [0]
        if operation == "averaged":
            made.append(sum(before) / len(before))
        else:
            most = operation in ("joined", "moved")
            made.append(max(before) if most else before[0] + (operation in UPDATES))
    return made[order.states[-1]]
