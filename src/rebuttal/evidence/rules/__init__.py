"""The kinds of rules by which a verdict is computed: one file each, one line in this list."""

from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.rules.best_backups_rule import BestBackups
from rebuttal.evidence.rules.boundary_rule import Boundary
from rebuttal.evidence.rules.compare_rule import Compare
from rebuttal.evidence.rules.explained_rule import Explained
from rebuttal.evidence.rules.order_statistics_rule import OrderStatistics
from rebuttal.evidence.rules.product_identity_rule import ProductIdentity
from rebuttal.evidence.rules.reading_rule import Reading
from rebuttal.evidence.rules.rule import Rule
from rebuttal.evidence.rules.trend_rule import Trend

RULES: dict[str, type[Rule]] = {
    "compare": Compare,
    "trend": Trend,
    "order_statistics": OrderStatistics,
    "best_backups": BestBackups,
    "product_identity": ProductIdentity,
    "reading": Reading,
    "boundary": Boundary,
    "explained": Explained,
}


def rule_of(given: Mapping[str, Any]) -> Rule:
    """The rule that a ledger's row carries."""
    return RULES[given["kind"]].model_validate(given)
