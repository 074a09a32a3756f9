"""What `rebuttal check` says of papers before anything has run: each wrong name and bound, by its place."""

import shutil
from pathlib import Path

import pytest
import yaml

from rebuttal.base.errors import InputError
from rebuttal.cli import paper_checks
from rebuttal.evidence import papers
from rebuttal.evidence.rules import RULES

ROOT = Path(__file__).resolve().parents[1]
READING = {"kind": "reading", "data": "rates", "variable": "slope", "where": {"case": "pprs"},
           "within": [0, 1]}  # fmt: skip
BACKUPS = {"kind": "best_backups", "workers": 100, "between": [1, 10]}
COMPARE = {"kind": "compare", "what": "seconds_per_update", "of": ["gpipe"], "against": ["pipedream"],
           "better": "lower", "margin": [0.9, 1.1]}  # fmt: skip

WRONG = [
    (READING, {"data": "rate"}, "rule.data: got 'rate'", "did you mean 'rates'"),
    (READING, {"variable": "slop"}, "rule.variable: got 'slop'", "did you mean 'slope'"),
    (READING, {"where": {"cases": "pprs"}}, "rule.where: got 'cases'", "did you mean 'case'"),
    (READING, {"each": "cas"}, "rule.each: got 'cas'", "did you mean 'case'"),
    (READING, {"within": [2, 1]}, "rule.within: got [2, 1]", "the lower first"),
    (READING, {"within": [None, None]}, "rule.within: got [None, None]", "the lower first"),
    (READING, {"within": [1.0]}, "rule.within: got [1.0]", "the lower first"),
    (READING, {"error": -1.0}, "rule.error: got -1.0", "from 0 to below 1"),
    (READING, {"statistic": "hihgest"}, "rule.statistic: got 'hihgest'", "did you mean 'highest'"),
    (READING, {"kind": "raeding"}, "rule.kind: got 'raeding'", "did you mean 'reading'"),
    (BACKUPS, {"between": [6, 5]}, "rule.between: got [6, 5]", "the lower first"),
    (BACKUPS, {"stragglers": ["paretto"]}, "rule.stragglers: got 'paretto'", "did you mean 'pareto'"),
    (COMPARE, {"margin": [1.1, 0.9]}, "rule.margin: got [1.1, 0.9]", "the lower first"),
    (COMPARE, {"what": "second_per_update"}, "rule.what: got 'second_per_update'", "did you mean 'seconds_per_update'"),
    (COMPARE, {"better": "smaller"}, "rule.better: got 'smaller'", "higher, lower, equal"),
]  # fmt: skip


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "papers", tmp_path / "papers", ignore=shutil.ignore_patterns("own", "*.ipynb"))
    return tmp_path


def paper(answers):
    """A paper with one question."""
    return {"id": "made-up", "title": "A paper", "authors": ["Nobody"], "year": 2020, "venue": "none",
            "links": ["https://example.org"], "sources": ["made up"],
            "concerns": [{"id": "mu-1", "kind": "claim", "text": "Is it?", "answers": answers}]}  # fmt: skip


def check_all(project):
    """Every rule of every paper."""
    for found in paper_checks.load_all(project):
        for question in (*found.claims, *found.concerns):
            for one in question.answers:
                paper_checks.check_names(one.rule.model_dump(), ())


@pytest.mark.parametrize(("rule", "change", "given", "allowed"), WRONG, ids=lambda one: str(one)[:40])
def test_a_rule_that_is_wrong_is_refused_with_the_nearest_name(project, rule, change, given, allowed):
    folder = project / "papers" / "made-up"
    folder.mkdir()
    (folder / "study.yaml").write_text("methods: {}\n")
    answer = {"figure": "convergence", "explain": "It.", "rule": rule | change}
    (folder / "paper.yaml").write_text(yaml.safe_dump(paper([answer])))
    with pytest.raises(InputError) as caught:
        check_all(project)
    line = str(caught.value)
    assert given in line
    assert allowed in line
    assert "\n" not in line


@pytest.mark.parametrize("machine", ["paper_clustre", "mine"])
def test_a_machine_is_one_of_the_catalogue_or_of_the_study(machine):
    rule = RULES["reading"].model_validate(
        {"kind": "reading", "data": "model_ratios", "variable": "ratio", "where": {"machine": machine}}
    )
    with pytest.raises(InputError, match=rf"rule\.where\.machine: got '{machine}'"):
        paper_checks.check_names(rule.model_dump(), ())
    paper_checks.check_names(rule.model_dump(), [machine])


def another_id(folder):
    path = folder / "layer-wise" / "paper.yaml"
    path.write_text(path.read_text().replace("id: layer-wise", "id: layerwise", 1))


def the_id_of_another(folder):
    path = folder / "layer-wise" / "paper.yaml"
    path.write_text(path.read_text().replace("id: layer-wise", "id: backup-workers", 1))


def another_ending(folder):
    (folder / "new").mkdir()
    (folder / "new" / "paper.yml").write_text("id: new\n")


def nothing(folder):
    (folder / "new").mkdir()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (another_id, "papers/layer-wise/paper.yaml: id: got 'layerwise'; allowed: layer-wise"),
        (the_id_of_another, "papers/layer-wise/paper.yaml: id: got 'backup-workers'; allowed: layer-wise"),
        (another_ending, "papers/new: got paper.yml; allowed: paper.yaml or study.yaml"),
        (nothing, "papers/new: got no such file; allowed: paper.yaml or study.yaml"),
    ],
)
def test_a_folder_that_would_be_passed_over_is_refused(project, change, said):
    change(project / "papers")
    with pytest.raises(InputError) as caught:
        paper_checks.load_all(project)
    assert said in str(caught.value)


def test_folders_of_editors_are_no_papers(project):
    (project / "papers" / ".ipynb_checkpoints").mkdir()
    assert {one.id for one in paper_checks.load_all(project)} == set(papers.reviewed(ROOT))
