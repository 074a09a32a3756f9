"""paper.yaml: what is refused, and what its rules say about results."""

import json

import numpy as np
import pytest
import synthetic_analyses
import synthetic_results
import xarray as xr
import yaml

from rebuttal.base.config import parameter_files, yaml_text
from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.core.figure_list import IN_PAPERS
from rebuttal.evidence import answer_templates, papers, result_files, verdicts
from rebuttal.evidence.ledger import ledger
from rebuttal.studies.params.schema import PROFILES


@pytest.fixture(scope="module")
def source(request):
    root = request.config.rootpath
    return root / "papers" / "backup-workers" / "paper.yaml"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    found = synthetic_results.write(tmp_path_factory.mktemp("results"))
    synthetic_analyses.write(found.parent / "analyses")
    return found


@pytest.fixture(scope="module")
def rows(source, study):
    return {row["id"]: row for row in ledger(papers.load(source), study)}


def test_the_paper_has_its_six_concerns_and_its_claims(source):
    paper = papers.load(source)
    assert [one.id for one in paper.concerns] == [f"bw-{i}" for i in range(1, 7)]
    assert all(one.id.startswith("bw-c") and "read" in one.source for one in paper.claims)
    assert {answer.figure for one in paper.concerns for answer in one.answers} <= set(IN_PAPERS)


def test_the_layer_wise_paper_has_its_sixteen_concerns_and_says_where_each_claim_was_read(source):
    paper = papers.load(source.parents[1] / "layer-wise" / "paper.yaml")
    assert [one.id for one in paper.concerns] == [f"lw-{i}" for i in range(1, 17)]
    assert len(paper.claims) >= 6
    assert all("read" in one.source for one in paper.claims)
    assert all(one.answers for one in (*paper.claims, *paper.concerns))


def rename(place, old, new):
    def change(content):
        section = at(content, place)
        section[new] = section.pop(old)

    return change


def put(place, key, value):
    return lambda content: at(content, place).__setitem__(key, value)


def drop(place, key):
    return lambda content: at(content, place).pop(key)


def at(content, place):
    for part in place:
        content = content[part]
    return content


FIRST = ("concerns", 0, "answers", 0)
RULE = (*FIRST, "rule")
BROKEN = {
    "a misspelt key": (rename((), "claims", "claim"), "claim: got an unknown key"),
    "a missing title": (drop((), "title"), "title: got nothing"),
    "a year in words": (put((), "year", "two thousand"), "year: got 'two thousand'"),
    "no authors": (put((), "authors", []), "authors: got []"),
    "an unknown kind of concern": (put(("concerns", 0), "kind", "claims"), "did you mean 'claim'"),
    "an unknown figure": (put(FIRST, "figure", "time_to_targets"), "did you mean 'time_to_target'"),
    "a concern without evidence": (put(("concerns", 1), "answers", []), "concerns.1.answers: got []"),
    "a text that is a number": (put(("concerns", 1), "text", 5), "concerns.1.text: got 5"),
    "an unknown kind of rule": (put(RULE, "kind", "compares"), "did you mean 'compare'"),
    "a rule without a kind": (drop(RULE, "kind"), "rule.kind: got None"),
    "a rule without its margin": (drop(RULE, "margin"), "rule.margin: got nothing"),
    "a misspelt rule": (rename(RULE, "better", "beter"), "did you mean 'better'"),
    "an unknown quantity": (put(RULE, "what", "seconds_to_targets"), "did you mean 'seconds_to_target'"),
    "a margin in words": (put(RULE, "margin", "small"), "rule.margin.0: got 'small'"),
    "a margin that is no number": (put(RULE, "margin", float("nan")), "rule.margin.0: got nan"),
    "a rule that is a text": (put(FIRST, "rule", "faster"), "rule: got 'faster'"),
    "an id twice": (put(("concerns", 1), "id", "bw-1"), "id: got 'bw-1'"),
    "an impossible id": (put(("concerns", 1), "id", "second"), "concerns.1.id: got 'second'"),
    "a claim about no concern": (put(("claims", 0), "concerns", ["bw-9"]), "claims.0.concerns: got 'bw-9'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_paper_is_refused_in_one_line(case, source, tmp_path):
    change, message = BROKEN[case]
    content = yaml.safe_load(source.read_text())
    change(content)
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as error:
        papers.load(path)
    assert message in str(error.value)
    assert str(error.value).startswith("paper.yaml")
    assert "\n" not in str(error.value)


def test_a_paper_that_is_not_there_and_one_that_is_no_yaml_are_refused(project, source):
    (project / "papers" / "backup-workers").mkdir(parents=True)
    for name in ("paper.yaml", "study.yaml"):
        text = source.with_name(name).read_text()
        (project / "papers" / "backup-workers" / name).write_text(text)
    assert papers.load("backup-workers").id == "backup-workers"
    with pytest.raises(InputError, match="did you mean 'backup-workers'"):
        papers.load("backup-worker")
    broken = project / "broken.yaml"
    broken.write_text("title: [unclosed\n")
    with pytest.raises(InputError, match=r"broken\.yaml"):
        papers.load(broken)


def test_every_concern_and_claim_has_a_row_that_is_plain_data(rows, source):
    paper = papers.load(source)
    assert list(rows) == [one.id for one in (*paper.concerns, *paper.claims)]
    json.dumps(list(rows.values()), allow_nan=False)
    for row in rows.values():
        assert {"id", "kind", "word", "answer", "parts", "more", "checks", "data_files"} <= set(row)
        assert row["word"] in (
            "supported",
            "contradicted",
            "depends",
            "no difference",
            "cannot tell",
            "answered",
        )
        assert all(one["n"] >= 5 for one in row["parts"])
        assert row["parts"]
        assert 0 < len(row["answer"].split()) <= answer_templates.MOST_WORDS


def test_data_files_exist(rows, study):
    for row in rows.values():
        for name in row["data_files"]:
            assert (study.parent / name.removeprefix("results/")).is_file()


def test_the_ledger_is_deterministic(source, study, rows):
    assert {row["id"]: row for row in ledger(papers.load(source), study)} == rows


def one_evidence(rule, figure="convergence"):
    return papers.Evidence(
        figure=figure, explain="for a test", rule=papers.RULES[rule["kind"]].model_validate(rule)
    )


ACCURACY = {"kind": "compare", "what": "final_test_metric", "of": ["synchronous"], "against": ["asynchronous"],
            "better": "higher", "margin": 0.0}  # fmt: skip
TIME = ACCURACY | {"what": "seconds_to_target", "better": "lower", "margin": 1.0, "target": 4.0}


@pytest.fixture(scope="module")
def loaded(study):
    return result_files.read(study)


@pytest.fixture
def data(loaded):
    """The results, in copies that a test may change."""
    names = ("curves", "tuning", "summaries", "stragglers")
    return result_files.Results(loaded.folder, *(getattr(loaded, name).copy(deep=True) for name in names))


def shift(data, method, amount, **place):
    """Move the accuracy of one method."""
    where = {"method": method, **place}
    for name in ("test_metric", "validation_metric"):
        data.curves[name].loc[where] = data.curves[name].loc[where] + amount


def test_a_verdict_follows_the_data(data):
    assert verdicts.judge(one_evidence(ACCURACY), data).word == "supported"
    shift(data, "synchronous", -0.1)
    assert verdicts.judge(one_evidence(ACCURACY), data).word == "contradicted"
    shift(data, "synchronous", 0.1, workload="digits_mlp")
    mixed = verdicts.judge(one_evidence(ACCURACY), data)
    assert mixed.word == "depends"
    assert {part.word for part in mixed.parts} == {"supported", "contradicted"}


def test_bytes_are_compared_as_a_ratio(data):
    rule = ACCURACY | {"what": "bytes_sent", "better": "lower", "margin": 0.5}
    assert verdicts.judge(one_evidence(rule), data).word == "contradicted"
    data.summaries.bytes_sent.loc[{"method": "synchronous"}] *= 0.1
    found = verdicts.judge(one_evidence(rule), data)
    assert found.word == "supported"
    assert [part.effect for part in found.parts] == pytest.approx([0.1] * len(found.parts))


def test_noise_makes_it_undecided(data):
    values = data.curves.test_metric
    noise = np.random.default_rng(0).normal(0, 0.2, values.shape)
    data.curves["test_metric"] = (values + noise).clip(0, 1)
    assert verdicts.judge(one_evidence(ACCURACY), data).word == "cannot tell"


def test_four_seeds_make_it_undecided(data):
    fewer = result_files.Results(
        data.folder, data.curves.isel(seed=slice(4)), data.tuning, data.summaries, data.stragglers
    )
    found = verdicts.judge(one_evidence(ACCURACY), fewer)
    assert (found.word, found.n) == ("cannot tell", 4)


def test_diverged_runs_count_against_their_method(data):
    before = verdicts.judge(one_evidence(ACCURACY), data)
    data.curves.diverged_at.loc[{"method": "synchronous"}] = 100.0
    after = verdicts.judge(one_evidence(ACCURACY), data)
    assert (before.word, after.word) == ("supported", "contradicted")
    assert after.n == before.n


def test_the_other_direction_is_the_other_verdict(data):
    assert verdicts.judge(one_evidence(ACCURACY | {"better": "lower"}), data).word == "contradicted"
    swapped = ACCURACY | {"of": ["asynchronous"], "against": ["synchronous"]}
    assert verdicts.judge(one_evidence(swapped), data).word == "contradicted"


def test_a_margin_decides(data):
    assert verdicts.judge(one_evidence(ACCURACY | {"margin": 0.5}), data).word == "contradicted"


def test_misses_are_in_the_notes(data):
    data.curves.test_metric.loc[{"method": "asynchronous", "seed": 0}] = 0.1
    found = verdicts.judge(one_evidence(TIME), data)
    assert all("missed the target in 1 pairs" in part.note for part in found.parts)
    assert all(part.n == 5 for part in found.parts)


def test_the_best_variant_is_chosen_on_validation_data(data):
    rule = ACCURACY | {"of": ["backup_workers b=1", "backup_workers b=4"]}
    data.curves["test_metric"].loc[{"method": "backup_workers b=4"}] = 1.0  # the test set must not choose
    data.curves["validation_metric"].loc[{"method": "backup_workers b=4"}] = 0.2
    found = verdicts.judge(one_evidence(rule), data)
    assert all("backup_workers b=1 against asynchronous" in part.note for part in found.parts)


def test_a_methods_name_stands_for_its_variants(data):
    found = verdicts.judge(one_evidence(ACCURACY | {"of": ["backup_workers"]}), data)
    labels = [f"backup_workers b={b}" for b in (1, 2, 4)]
    assert found.parts == verdicts.judge(one_evidence(ACCURACY | {"of": labels}), data).parts


def test_a_trend_follows_the_data(data):
    rule = {"kind": "trend", "what": "final_test_error", "of": "delayed k=", "direction": "rising"}
    found = verdicts.judge(one_evidence(rule), data)
    assert found.word == "supported"
    assert [part.where for part in found.parts] == ["digits_cnn, ethernet_10g"]
    for k in (0, 5, 10, 20, 30, 40, 50):
        shift(data, f"delayed k={k}", 0.003 * k)
    assert verdicts.judge(one_evidence(rule), data).word == "contradicted"
    assert verdicts.judge(one_evidence(rule | {"direction": "falling"}), data).word == "supported"


def test_formula_and_simulation_must_agree(data):
    rule = {"kind": "order_statistics", "stragglers": ["none", "exponential", "pareto"]}
    assert verdicts.judge(one_evidence(rule), data).word == "supported"
    data.stragglers["iteration_seconds_simulated"] = data.stragglers.iteration_seconds_simulated * 1.5
    assert verdicts.judge(one_evidence(rule), data).word == "contradicted"


def test_the_best_number_of_backups_is_computed(data):
    rule = {"kind": "best_backups", "workers": 100, "between": [0, 0], "stragglers": ["none"]}
    assert verdicts.judge(one_evidence(rule), data).word == "supported"
    assert verdicts.judge(one_evidence(rule | {"between": [1, 10]}), data).word == "contradicted"
    exponential = verdicts.judge(
        one_evidence(rule | {"between": [1, 64], "stragglers": ["exponential"]}), data
    )
    assert exponential.word == "cannot tell"  # the best may lie beyond the grid
    assert "beyond" in exponential.parts[0].note


def test_the_product_identity_holds(data):
    rule = {"kind": "product_identity", "of": "backup_workers b=2", "against": "asynchronous", "target": 4.0}
    found = verdicts.judge(one_evidence(rule), data)
    assert found.word == "supported"
    assert found.effect < 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"of": ["synchronus"]}, "did you mean 'synchronous'"),
        ({"workloads": ["digits"]}, "rule.workloads"),
        ({"machines": ["ethernet"]}, "did you mean 'ethernet_10g'"),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused(change, message, data):
    with pytest.raises(InputError) as error:
        verdicts.judge(one_evidence(ACCURACY | change), data)
    assert message in str(error.value)


def test_of_the_workloads_that_a_rule_names_those_that_were_run_are_judged(data):
    both = verdicts.judge(one_evidence(ACCURACY | {"workloads": ["digits_mlp", "mnist_small_deep"]}), data)
    only = verdicts.judge(one_evidence(ACCURACY | {"workloads": ["digits_mlp"]}), data)
    assert both.parts == only.parts
    with pytest.raises(InputError, match="at least one that was run: digits_mlp"):
        verdicts.judge(one_evidence(ACCURACY | {"workloads": ["mnist_small_deep"]}), data)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_a_workload_for_every_rule(source, profile):
    root = source.parents[2]
    for path in sorted(root.glob("papers/*/paper.yaml")):
        paper = papers.load(path)
        assert paper.study is not None
        sizes = yaml_text.read(parameter_files.study_file(root, paper.study))["sizes"]
        workloads = (sizes["all"] | sizes[profile])["workloads"]
        for question in (*paper.claims, *paper.concerns):
            for evidence in question.answers:
                named = getattr(evidence.rule, "workloads", None)
                assert not named or set(named) & set(workloads), question.id


def test_a_changed_result_file_changes_the_ledger(source, tmp_path, rows):
    study = synthetic_results.write(tmp_path)
    synthetic_analyses.write(study.parent / "analyses")
    path = study / "training" / "asynchronous" / "curves.nc"
    changed = xr.load_dataset(path, engine="h5netcdf")
    changed["test_metric"] = (changed.test_metric + 0.05).clip(0, 1)
    results.save(changed, path)
    after = {row["id"]: row for row in ledger(papers.load(source), study)}
    assert after["bw-c1"]["word"] != rows["bw-c1"]["word"]


def test_the_example_in_the_guide_is_a_valid_paper(request, tmp_path):
    guide = (request.config.rootpath / "docs" / "adding_a_paper.md").read_text()
    path = tmp_path / "paper.yaml"
    (tmp_path / "study.yaml").touch()
    path.write_text(guide.split("```yaml\n")[1].split("```")[0])
    assert papers.load(path).id == "my-paper"
