"""Nothing is measured: a question that asks for words or a diagram."""

from typing import Literal

from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import All, Found, Rule


class Explained(Rule):
    """A question that asks for words or a diagram: nothing is measured, and the page says so.

    methods: whose pages answer it; references: addresses of what else does.
    """

    kind: Literal["explained"]
    methods: All | None = None
    references: All | None = None
    of_study = False

    @property
    def decides(self) -> bool:
        """It says neither yes nor no."""
        return False

    def judge(self, data: Results) -> Found:
        """No number."""
        return Found((), None, "", "in words; nothing is measured", ())

    def in_words(self) -> str:
        """That it is explained."""
        return "the page explains it"

    def measured(self) -> str:
        """Nothing."""
        return "nothing"
