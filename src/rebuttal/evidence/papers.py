"""papers/<paper>/paper.yaml: a paper, its claims, the reviewers' concerns, and the rule of every verdict.

The file is written before the results are there, and nothing in it is a result. Whatever is wrong in it, `load`
raises one InputError of one line: the file, the dotted key, what was given, what is allowed, the nearest name.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from rebuttal.base import paths
from rebuttal.base.config import parameter_files, refusals, yaml_text
from rebuttal.base.errors import InputError, refuse
from rebuttal.core.figure_list import IN_PAPERS
from rebuttal.evidence import answer_templates
from rebuttal.evidence.judging import Word
from rebuttal.evidence.rules import RULES, Rule
from rebuttal.evidence.rules.rule import Names, Strict, Text

WITHOUT_STUDY = tuple(kind for kind, rule in RULES.items() if not rule.of_study)

Id = Annotated[
    str, Field(pattern=r"^[a-z]+-c?[0-9]+$", description="an id such as bw-1, or bw-c1 for a claim")
]


Role = Literal["decides", "explains", "checks"]
Says = Text | Annotated[dict[Word, Text], Field(description="a sentence for each word")]


class _Answer(Strict):
    """One piece of evidence, as written: the rule is checked by its own kind."""

    role: Role = "decides"
    part: Text = ""
    says: Annotated[Says | None, Field(description="a sentence, or one for each word")] = None
    figure: Literal[*IN_PAPERS] | None = None  # pyright: ignore[reportInvalidTypeForm]
    explain: Text
    rule: Annotated[dict[str, Any], Field(description=f"a section with a kind: {', '.join(RULES)}")]
    table: Text | None = None


class Evidence(Strict):
    """A figure, the rule that makes a verdict of its data, and what it shows. table: a table beside the figure.

    figure: None only where the rule is `explained`. role: whether it decides the word of its part, explains it, or is a
    check that must hold. part: the sub-question that it is about ("speed"); of one that explains, the name by which
    sentences know its numbers. says: the sentence, with slots for numbers (`answers`).
    """

    figure: str | None
    role: Role = "decides"
    part: str = ""
    says: str | dict[Word, str] | None = None
    explain: str
    rule: Rule
    table: str | None = None


Asks = Literal["whether", "what"]


class _Question(Strict):
    id: Id
    text: Text
    asks: Asks = "whether"
    answers: Annotated[list[_Answer], Field(description="a list of evidence")] = Field(default_factory=list)
    missing: Text | None = None


class _Claim(_Question):
    source: Text
    concerns: list[str] = Field(default_factory=list)


class _Concern(_Question):
    kind: Literal["wall-clock", "baseline", "hardware", "theory", "claim", "regime", "related work", "memory",
                  "clarity", "setup", "curves", "scope", "ablation"]  # fmt: skip


class Question(Strict):
    """A claim (kind "claim of the paper") or a concern, with its evidence.

    asks: "whether" has a truth value; "what" (how, where, how much) has an answer alone. source: of a claim, where it
    was read. missing: what an answer lacks; without any evidence the question is open.
    """

    id: str
    kind: str
    text: str
    answers: list[Evidence]
    asks: Asks = "whether"
    missing: str | None = None
    source: str = ""
    concerns: list[str] = Field(default_factory=list)

    def of_role(self, role: Role) -> list[Evidence]:
        """The evidence of a role, in its order."""
        return [one for one in self.answers if one.role == role]


class _File(Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", description="the folder's name")]
    title: Text
    authors: Names
    year: Annotated[int, Field(ge=1900, le=2100, description="a year")]
    venue: Text
    links: Names
    sources: Names
    changed: Annotated[list[Text], Field(description="a list of texts")] = Field(default_factory=list)
    claims: Annotated[list[_Claim], Field(description="a list of claims")] = Field(default_factory=list)
    concerns: Annotated[list[_Concern], Field(min_length=1, description="a list of concerns, at least one")]


class Paper(Strict):
    """A paper with its claims and the concerns about it.

    study: the name of its folder of results, its id, if there is a study.yaml beside its file. changed: what was
    changed after a first look at results.
    """

    id: str
    study: str | None
    title: str
    authors: list[str]
    year: int
    venue: str
    links: list[str]
    sources: list[str]
    changed: list[str]
    claims: list[Question]
    concerns: list[Question]


def load(paper: str | Path) -> Paper:
    """The paper called `paper` (its folder's name under papers/), or the one in a given file."""
    if not isinstance(paper, str | Path) or not str(paper):
        raise refuse("paper", paper, "the name of a folder of papers/, or the path of a paper.yaml")
    path = Path(paper) if Path(paper).suffix else paths.root() / "papers" / paper / "paper.yaml"
    if not path.is_file() and not Path(paper).suffix:
        raise refuse("paper", str(paper), sorted(p.parent.name for p in path.parents[1].glob("*/paper.yaml")))
    content = yaml_text.read(path)
    try:
        return _paper(content, studied=(path.parent / parameter_files.STUDY).is_file())
    except InputError as error:
        raise InputError(f"{_called(path)}: {error}") from None


def reviewed(project: Path | None = None) -> list[str]:
    """The folders of papers/ that get a page, by name: those with a paper.yaml, and a study that is run or none."""
    root = project or paths.root()
    listed, studied = parameter_files.listed(root), parameter_files.studied(root)
    names = sorted(path.parent.name for path in (root / "papers").glob("*/paper.yaml"))
    return [name for name in names if name in listed or name not in studied]


def _called(path: Path) -> str:
    """A paper's file as a message calls it: papers/PAPER/paper.yaml, or its name elsewhere."""
    return "/".join(path.parts[-3:]) if path.parts[-3:-2] == ("papers",) else path.name


def _paper(content: dict[str, Any], *, studied: bool) -> Paper:
    file = refusals.validate(_File, content)
    study = file.id if studied else None
    claims = [_question(f"claims.{i}", one, "claim of the paper") for i, one in enumerate(file.claims)]
    concerns = [_question(f"concerns.{i}", one, one.kind) for i, one in enumerate(file.concerns)]
    _check_ids(claims, concerns)
    _check_study(study, claims, concerns)
    about = file.model_dump(exclude={"claims", "concerns"})
    return Paper(**about, study=study, claims=claims, concerns=concerns)


def _question(key: str, one: _Claim | _Concern, kind: str) -> Question:
    if not one.answers and one.missing is None:
        raise refuse(
            f"{key}.answers",
            one.answers,
            "a list of evidence, at least one; or `missing`, which says what lacks",
        )
    try:
        answers = [_evidence(f"{key}.answers.{i}", answer) for i, answer in enumerate(one.answers)]
    except InputError as error:
        raise InputError(f"{error} (question {one.id})") from None
    fields = one.model_dump(exclude={"answers", "kind"})
    question = Question(**fields, kind=kind, answers=answers)
    _check_roles(f"{key}.answers", question)
    return question


def _check_roles(key: str, question: Question) -> None:
    """Each part has one piece of evidence that decides it, and one that can say yes or no if that is asked."""
    deciding = [one.part for one in question.of_role("decides")]
    for part in deciding:
        if deciding.count(part) > 1:
            allowed = "one piece that decides each part; another `part`, or role: explains, for the others"
            raise refuse(f"{key}.part", part, allowed)
    if question.answers and not deciding:
        raise refuse(f"{key}.role", [one.role for one in question.answers], "one that decides")
    if question.asks == "whether":
        for one in question.of_role("decides"):
            if not one.rule.decides and one.rule.kind != "explained":
                raise refuse(f"{key}.rule.kind", one.rule.kind, "a rule with bounds, or asks: what")
    for answer in question.answers:
        answer_templates.check(f"{key}.says", answer.says, [one.part for one in question.answers])


def _evidence(key: str, answer: _Answer) -> Evidence:
    kind = answer.rule.get("kind")
    if kind not in RULES:
        raise refuse(f"{key}.rule.kind", kind, RULES)
    try:
        rule = refusals.validate(RULES[kind], answer.rule)
    except InputError as error:
        raise InputError(f"{key}.rule.{error}") from None
    if answer.figure is None and kind != "explained":
        raise refuse(f"{key}.figure", None, IN_PAPERS)
    fields = answer.model_dump(exclude={"rule"})
    return Evidence(**fields, rule=rule)


def _check_ids(claims: list[Question], concerns: list[Question]) -> None:
    ids = [one.id for one in (*claims, *concerns)]
    for index, given in enumerate(ids):
        if given in ids[:index]:
            raise refuse("id", given, "each id once")
    known = [one.id for one in concerns]
    for index, claim in enumerate(claims):
        for given in claim.concerns:
            if given not in known:
                raise refuse(f"claims.{index}.concerns", given, known)


def _check_study(study: str | None, claims: list[Question], concerns: list[Question]) -> None:
    """A paper without a study has no runs to judge."""
    for key, questions in (("claims", claims), ("concerns", concerns)):
        for index, question in enumerate(questions):
            for number, answer in enumerate(question.answers):
                if study is None and answer.rule.kind not in WITHOUT_STUDY:
                    place = f"{key}.{index}.answers.{number}.rule.kind"
                    raise refuse(
                        place, answer.rule.kind, f"{' or '.join(WITHOUT_STUDY)}, in a paper without a study"
                    )
