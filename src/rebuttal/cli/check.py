"""What `rebuttal check` looks at: the parameters, the papers, the costs and the data, before anything starts."""

from collections.abc import Sequence

from rebuttal.base import paths
from rebuttal.base.config import parameter_files
from rebuttal.base.errors import InputError, refuse
from rebuttal.cli import paper_checks
from rebuttal.evidence.papers import Evidence, Paper
from rebuttal.figures.theme import family
from rebuttal.machines import costs
from rebuttal.site import report_figures
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.pool import engine_of
from rebuttal.studies.runs.study_costs import costs_of, files_of, largest_gradient
from rebuttal.workloads import NAMES

BASE = "backup-workers"  # the paper whose runs a stage of the analyses takes
#: The keys of rules that name labels or methods of the study, and those that name its workloads and machines.
NAMED, PLACES = ("of", "against"), ("workloads", "machines")


def check_project(loaded: Params) -> str:
    """One line that says what is sound. Raises InputError, one line about the first thing that is not."""
    engine_of(loaded.engine)
    if BASE not in loaded.studies:
        raise refuse(
            "papers", list(loaded.studies), f"a list with {BASE}, on whose tuning worker_counts rests"
        )
    for path in dict.fromkeys(path for study in loaded.studies.values() for path in files_of(study)):
        costs.check_evidence(path)
    for study in loaded.studies.values():
        _check_costs(study)
    for paper in paper_checks.load_all(paths.root()):
        _check_questions(paper, loaded.studies.get(paper.study or ""))
    sizes = ", ".join(f"{len(study.variants)} variants in {study.name}" for study in loaded.studies.values())
    return f"parameters and papers: sound; profile {loaded.profile}: {sizes}{_idle(loaded)}"


def _check_costs(study: Study) -> None:
    """Refuse workloads whose costs are not known, and batches outside of those that were measured."""
    for workload in study.workloads:
        try:
            costs_of(study, workload).gradient_s(largest_gradient(study, workload))
        except InputError as error:
            raise InputError(f"papers/{study.name}/{parameter_files.STUDY}: {error}") from None


def _check_questions(paper: Paper, study: Study | None) -> None:
    """Refuse rules and figures that would find no runs; the question and the key are named."""
    for kind, questions in (("claims", paper.claims), ("concerns", paper.concerns)):
        for index, question in enumerate(questions):
            for number, answer in enumerate(question.answers):
                place = f"papers/{paper.id}/paper.yaml: {kind}.{index}.answers.{number}"
                try:
                    _check_answer(answer, study)
                except InputError as error:
                    raise InputError(f"{place}.{error} (question {question.id})") from None


def _check_answer(answer: Evidence, study: Study | None) -> None:
    """Refuse a rule about what there is not or the study does not run, and a figure whose baseline it does not."""
    given = answer.rule.model_dump()
    paper_checks.check_names(given, study.machines if study else ())
    if study is None:
        return
    labels = [variant.label for variant in study.variants]
    if answer.rule.names_runs:
        for key in NAMED:
            _check_labels(f"rule.{key}", given.get(key), labels)
        for key in PLACES:
            _check_place(f"rule.{key}", given.get(key), getattr(study, key))
    if answer.figure is not None:
        against = given.get("against") or ()
        report_figures.baseline_of(answer.figure, labels, [against] if isinstance(against, str) else against)


def _check_labels(key: str, given: str | Sequence[str] | None, labels: Sequence[str]) -> None:
    """Each a label, or a method for all of its variants; a text is the beginning of some labels."""
    names = [given] if isinstance(given, str) else given or ()
    known = dict.fromkeys([*labels, *map(family, labels)])
    for name in names:
        if name not in known and not (isinstance(given, str) and any(one.startswith(name) for one in labels)):
            raise refuse(key, name, list(known))


def _check_place(key: str, given: Sequence[str] | None, known: Sequence[str]) -> None:
    """At least one that the study has: a rule names one for each profile, and no run has them all."""
    for name in given or ():
        if key.endswith("workloads") and ":" not in name and name not in (*known, *NAMES):
            raise refuse(key, name, [*known, *NAMES])
    if given and not set(given) & set(known):
        raise refuse(key, ", ".join(given), f"at least one that the study has: {', '.join(known)}")


def _idle(loaded: Params) -> str:
    """What is there and not run, if anything."""
    idle = [name for name in parameter_files.studied(paths.root()) if name not in loaded.studies]
    return f"; not among `papers` of params.yaml, so not run: {', '.join(idle)}" if idle else ""
