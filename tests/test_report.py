"""The pieces of a report: what a notebook shows, what a page says, what is refused."""

import json
import shutil
from html import escape

import markupsafe
import nbformat
import numpy as np
import pytest
import synthetic_calibration
import synthetic_project
import xarray as xr
from tiny_models import FLAT_ENDED, MODELS

from rebuttal import figures
from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.figure_list import FIGURES, ON_MACHINES, PUBLISHED
from rebuttal.evidence.ledger import evidence_of
from rebuttal.evidence.rules import rule_of
from rebuttal.figures import gains, layer_shares
from rebuttal.figures.theme import words as words_of
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.site import data as report_data
from rebuttal.site import files as report_files
from rebuttal.site import html, notebook_page, readme, report_figures, words
from rebuttal.site.figure import PAGE_MIME, SENTENCE, VEGA_MIME, columns
from rebuttal.site.on_machines import machines
from rebuttal.site.paper_review import review
from rebuttal.site.verdict import LEDGER_MIME
from rebuttal.studies.runs import notebook_execution


@pytest.fixture(scope="module")
def place(synthetic_place):
    return synthetic_place


@pytest.fixture(scope="module")
def opened(place):
    return review(
        place / "papers" / "backup-workers" / "paper.yaml", place / "results" / "quick" / "backup-workers"
    )


def test_every_figure_of_the_papers_has_a_title_a_caption_and_sources():
    for about in map(figures.figure, FIGURES):
        assert about.title
        assert len(about.how_to_read.split()) > 10
        assert about.reads


@pytest.mark.parametrize("name", FIGURES)
def test_captions_hold_no_measured_number(name):
    assert not any(character.isdigit() for character in figures.figure(name).how_to_read)


def test_a_figure_shows_in_a_notebook_and_on_a_page(opened):
    figure = opened.figure("staleness_error")
    bundle = figure._repr_mimebundle_()
    assert VEGA_MIME in bundle
    page = bundle[PAGE_MIME]
    assert page.count("<svg") >= 1
    for part in (
        "<figcaption>",
        "<caption>",
        'id="fig-staleness_error"',
        "results/backup-workers/training/*/curves.nc",
    ):
        assert part in page
    assert figure.to_html() == opened.figure("staleness_error").to_html()


def test_the_sources_of_figures_are_variables_of_their_files(opened):
    read = {"curves": opened.data.curves, "tuning": opened.data.tuning, "summaries": opened.data.summaries,
            "stragglers": opened.data.stragglers}  # fmt: skip
    read |= {name: report_data.inputs(opened.data, name) for name in ANALYSES}
    read["calibration"] = synthetic_calibration.made()
    for about in map(figures.figure, PUBLISHED):
        for kind, names in about.reads.items():
            if kind not in ("gantt", "layer_gantt"):
                assert set(names) <= set(read[kind].variables)


def test_a_concern_says_its_words_its_answer_numbers_and_conditions(opened):
    for concern in opened.paper.concerns:
        text = opened.concern(concern.id).text
        row = next(row for row in opened.rows if row["id"] == concern.id)
        assert f'id="{concern.id}"' in text
        assert f'<p class="answer">{markupsafe.escape(row["answer"])}</p>' in text
        for part in row["parts"]:
            assert html.badge(part["word"], part["name"]) in text
        for one in evidence_of(row):
            assert f"n = {one['n']}" in text or one["effect"] is None
            assert escape(one["conditions"]) in text
            assert one["figure"] is None or f"#fig-{one['figure']}" in text


def test_the_summary_carries_the_ledger(opened):
    bundle = opened.summary()._repr_mimebundle_()
    assert [row["id"] for row in bundle[LEDGER_MIME]] == [row["id"] for row in opened.rows]
    carried = "".join(opened.concern(one.id).text for one in opened.paper.concerns)
    shown = opened.claims().text + carried
    assert shown.count('class="question claim ') == len(opened.paper.claims)


def test_settings_and_checklist_are_read_from_the_results(opened):
    settings = opened.settings().text
    assert "synthetic device" in settings
    for label in ("backup workers", "b = 1; b = 2; b = 4", "10 Gb/s Ethernet"):
        assert label in settings
    checklist = opened.checklist().text
    assert f"{opened.data.curves.sizes['method']} variants" in checklist
    assert "diverged" in checklist
    assert "claims into which chance enters" in checklist
    assert "comparisons of stale with fresh gradients" in checklist
    assert "best of 5" in checklist  # of as many learning rates


def test_unknown_names_are_refused_with_the_nearest(opened):
    with pytest.raises(InputError, match="did you mean 'convergence'"):
        opened.figure("convergance")
    with pytest.raises(InputError, match="did you mean 'bw-1'"):
        opened.concern("bw1")


def test_every_rule_of_the_papers_can_be_said_in_words(opened):
    for row in opened.rows:
        for one in evidence_of(row):
            assert len(rule_of(one["rule"]).in_words().split()) >= 5
            assert rule_of(one["rule"]).measured()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345678, "0.1235"),
        (-2.0, "−2"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
        (3, "3"),
        (1e-9, "1.00e−09"),
    ],
)
def test_numbers_are_written_for_readers(value, text):
    assert html.number(value) == text


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ([1.0, 2.0], "[1.0, 2.0]"),
        ([1.0, None], "[at least 1.0]"),
        ([None, 2.0], "[at most 2.0]"),
        ([None, None], ""),
    ],
)
def test_an_interval_says_where_it_is_open(ends, text):
    row = {"effect": 1.5, "unit": "points", "interval": ends, "interval_kind": "95 % interval"}
    assert words.numbers(row) == f"1.5 points {text}".rstrip()


@pytest.mark.parametrize(
    ("kind", "ends", "text"),
    [
        ("range", [0.5, 2.0], "(0.50 to 2.00)"),
        ("95 % interval", [0.0, 2.0], "[at most 2.00]"),
        ("95 % interval", [0.0, None], ""),
    ],
)
def test_an_interval_of_a_ratio_says_what_it_is_of(kind, ends, text):
    row = {"effect": 1.5, "unit": "times", "interval": ends, "interval_kind": kind}
    assert words.numbers(row) == f"1.50 times {text}".rstrip()


def test_html_is_escaped():
    assert html.element("a", "x", href='"<') == '<a href="&quot;&lt;">x</a>'
    assert "<script>" not in html.facts({"<script>": "x"})


@pytest.mark.parametrize(
    ("count", "across"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (8, 4), (9, 3), (10, 4)]
)
def test_panels_fill_their_rows(count, across):
    assert columns(count) == across


# --- a change of a result file changes what is shown ------------------------------------------------------------


# On pages of their own.
OTHERS = {
    "comparison", "continuous-propagation", "layer-wise", "random-smoothing", "analyses", "calibration.nc",
}  # fmt: skip


def test_every_result_file_is_listed_with_its_hash(place, opened):
    folder = place / "results" / "quick" / "backup-workers"
    listed = {one["file"]: one["sha256"] for one in report_files.files(folder)}
    there = [
        path
        for path in (place / "results" / "quick").rglob("*")
        if path.suffix in (".nc", ".json") and not OTHERS & set(path.relative_to(place).parts)
    ]
    assert {f"results/{path.relative_to(place / 'results/quick').as_posix()}" for path in there} == set(
        listed
    )
    shown = opened.provenance().text
    assert all(digest[:16] in shown for digest in listed.values())


def change(path, variable):
    """One number of a file, made a little larger."""
    data = xr.load_dataset(path, engine="h5netcdf")
    flat = data[variable].values.ravel()
    flat[0] = flat[0] * 0.97
    results.save(data, path)


MUTATIONS = {
    "training/synchronous/curves.nc": ("test_metric", "convergence", "curves"),
    "tuning/softsync.nc": ("validation_loss", "learning_rates", "tuning"),
    "summaries/asynchronous.nc": ("utilisation", "utilisation", "summaries"),
    "../analyses/stragglers.nc": ("iteration_seconds_simulated", "best_backups", "stragglers"),
}


@pytest.mark.parametrize("file", MUTATIONS)
def test_one_changed_number_changes_its_figure_and_the_hash(file, tmp_path, opened):
    variable, figure, kind = MUTATIONS[file]
    study = synthetic_project.synthetic_results.write(tmp_path / "results" / "quick")
    before = {one["file"]: one["sha256"] for one in report_files.behind(study, ["stragglers"])}
    change(study / file, variable)
    after = {one["file"]: one["sha256"] for one in report_files.behind(study, ["stragglers"])}
    (other,) = [name for name in after if after[name] != before[name]]
    assert other == f"results/{(study / file).resolve().relative_to(study.parent).as_posix()}"
    read = {"curves": results.load_curves, "tuning": results.load_tuning, "summaries": results.load_summaries,
            "stragglers": results.load_stragglers}[kind]  # fmt: skip
    old, new = getattr(opened.data, kind), read(study / "../analyses" if kind == "stragglers" else study)
    drawn = [figures.panels(figure, data) for data in (old, new)]
    assert [panel.spec for panel in drawn[0]] != [panel.spec for panel in drawn[1]]


def test_broken_json_and_missing_timelines_are_refused(tmp_path, opened):
    (tmp_path / "profile.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        report_files.read_json(tmp_path / "profile.json")
    lost = type(opened.data)(
        tmp_path, *(getattr(opened.data, n) for n in ("curves", "tuning", "summaries", "stragglers"))
    )
    with pytest.raises(InputError, match="cannot be read"):
        report_data.inputs(lost, "gantt")


# --- notebooks --------------------------------------------------------------------------------------------------


def notebook(path, *sources, kernel="python3"):
    """A notebook whose first code cell is tagged 'parameters'."""
    node = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": kernel, "display_name": "x", "language": "python"}}
    )
    node.cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
    node.cells[1].metadata.tags = ["parameters"]
    path.write_text(nbformat.writes(node))
    return path


PARAMETERS = 'study = "a"\nn = 3\nrate = 0.1\nneeded = None'


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stduy": "b", "needed": 1}, "did you mean 'study'"),
        ({"study": 3, "needed": 1}, "parameter study: got 3; allowed: a value of type str"),
        ({"n": True, "needed": 1}, "parameter n: got True"),
        ({"n": 2.5, "needed": 1}, "parameter n: got 2.5"),
        ({}, "parameter needed: got None"),
    ],
)
def test_wrong_parameters_are_refused_before_a_kernel_starts(project, given, message, monkeypatch):
    monkeypatch.setattr(
        notebook_execution.papermill, "execute_notebook", lambda *_, **__: pytest.fail("launched")
    )
    path = notebook(project / "n.ipynb", PARAMETERS)
    with pytest.raises(InputError, match=message) as caught:
        notebook_execution.execute(path, project / "out.ipynb", given)
    assert "\n" not in str(caught.value)
    assert not (project / "out.ipynb").exists()


def test_a_whole_number_may_stand_for_a_float(project):
    notebook_execution.check(notebook(project / "n.ipynb", PARAMETERS), {"rate": 1, "needed": 0})


def test_another_kernel_and_no_notebook_are_refused(project):
    with pytest.raises(InputError, match=r"kernelspec\.name"):
        notebook_execution.check(notebook(project / "n.ipynb", PARAMETERS, kernel="conda"), {"needed": 1})
    with pytest.raises(InputError, match="cannot be read"):
        notebook_execution.check(project / "none.ipynb", {})


def test_execution_runs_in_the_root_and_gives_the_same_file_each_time(project):
    (project / "notebooks").mkdir()
    source = "import os, sys\nprint(study, os.path.exists('dvc.yaml'), 'torch' in sys.modules)"
    path = notebook(project / "notebooks" / "n.ipynb", PARAMETERS, source)
    for name in ("a.ipynb", "b.ipynb"):
        notebook_execution.execute(path, project / name, {"study": "b", "needed": 1})
    text = (project / "a.ipynb").read_text()
    assert text == (project / "b.ipynb").read_text()
    assert "papermill" not in text
    written = nbformat.reads(text, as_version=4)
    nbformat.validate(written)
    outputs = [cell.outputs for cell in written.cells if cell.cell_type == "code"]
    assert outputs[-1][0].text == "b True False\n"


def test_a_cell_that_fails_is_one_line_and_leaves_no_output(project):
    path = notebook(project / "n.ipynb", "n = 1", "raise ValueError('no good\\nat all')")
    with pytest.raises(InputError, match=r"ValueError: no good$"):
        notebook_execution.execute(path, project / "out.ipynb", {})
    assert not (project / "out.ipynb").exists()


def test_a_page_shows_results_and_hides_code_behind_a_toggle():
    node = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("show()")
    bundle = {PAGE_MIME: "<p>page part</p>", "text/html": "<p>other</p>"}
    cell.outputs = [nbformat.v4.new_output("display_data", bundle)]
    node.cells = [nbformat.v4.new_markdown_cell("# One & two\n\n## A\n\n## B\n\n## C"), cell]
    page = notebook_page.render(node, "x.ipynb", "x.html")
    assert "<title>One &amp; two</title>" in page
    assert "page part" in page
    assert "other" not in page
    assert "<summary>Code: 1 cells of x.ipynb</summary>" in page
    assert 'id="cell-1"' in page
    assert '<a href="#A">A</a>' in page


def test_the_readme_holds_the_ledger_that_is_published(root):
    rows = json.loads((root / "reports" / "ledger.json").read_text(encoding="utf-8"))
    assert readme.findings(rows) in (root / "README.md").read_text(encoding="utf-8")


def test_the_readme_counts_every_question_of_every_paper(root):
    rows = json.loads((root / "reports" / "ledger.json").read_text(encoding="utf-8"))
    _, _, *papers = readme.findings(rows).split("\n\n")[1].splitlines()
    counts = [[int(cell) for cell in line.split("|")[2:-1]] for line in papers]
    assert [total for total, *_ in counts] == [sum(each) for _, *each in counts]
    assert sum(total for total, *_ in counts) == len(rows)


def test_a_readme_without_its_marks_is_refused(project):
    (project / "README.md").write_text("nothing")
    with pytest.raises(InputError, match=r"README\.md: got other marks"):
        readme.write_readme()


@pytest.fixture(scope="module")
def on_machines(place):
    return machines(place / "results" / "quick" / "analyses")


@pytest.mark.parametrize("name", ON_MACHINES)
def test_a_finding_is_a_sentence_of_the_data(on_machines, name):
    figure = on_machines.figure(name)
    assert figure.finding.endswith(".")
    assert any(character.isdigit() for character in figure.finding)
    assert "nan" not in figure.finding
    first, *more = SENTENCE.split(figure.finding)
    text = figure.to_html()
    assert f'class="finding">{escape(first)}</h4>' in text
    assert escape(" ".join(more)) in text


def test_the_finding_about_the_claim_follows_the_speed_ups(on_machines):
    data = results.load_analysis("speedups", on_machines.folder)
    fresh = float(data.speedup.drop_sel(form="delayed_all_reduce").max())
    said = gains.finding(data)
    assert f"the largest speed-up is {html.number(fresh)} times" in said
    assert "below the reported 1.7; overlap is bounded by 1.667" in said
    data.speedup.loc[{"form": "bucketed", "machine": "dgx1"}] = 1.75
    changed = gains.finding(data)
    assert (
        "is 1.75 times (bucketed, flat ended on a DGX-1, 2 nodes, 4 samples on each), at least the reported 1.7"
        in changed
    )


def test_a_finding_says_where_the_parameters_are(on_machines):
    data = results.load_analysis("layer_ratios", on_machines.folder)
    linear = sum(layer.parameters for layer in FLAT_ENDED if layer.kind == "linear")
    share = 100 * linear / sum(layer.parameters for layer in FLAT_ENDED)
    assert f"connected layers of flat ended hold {share:.3g} % of its parameters" in layer_shares.finding(
        data
    )


def test_models_and_machines_are_told_with_their_sources(on_machines):
    models = on_machines.models().text
    for layers in MODELS.values():
        assert f"{sum(layer.parameters for layer in layers):,}" in models
    told = on_machines.machines().text
    for name in SCALED_MACHINES:
        assert f"Where the figures of {words_of(name)} come from" in told
    assert told.index(words_of("sandy_bridge_infiniband")) < told.index(words_of("h200_box"))
    assert "synthetic device" in on_machines.settings().text


def test_what_the_page_of_the_machines_lacks_is_refused_in_one_line(on_machines, tmp_path):
    with pytest.raises(InputError, match="did you mean 'scaling'"):
        on_machines.figure("scalling")
    with pytest.raises(InputError, match="did you mean 'speedups'"):
        results.load_analysis("speed_ups", on_machines.folder)
    with pytest.raises(InputError, match=r"scaling\.nc: no such file"):
        results.load_analysis("scaling", tmp_path)
    shutil.copytree(on_machines.folder, tmp_path / "analyses")
    (tmp_path / "analyses" / "models.json").unlink()
    with pytest.raises(InputError, match=r"models\.json: cannot be read"):
        machines(tmp_path / "analyses")


def test_a_figure_without_a_finite_value_says_so_in_its_place(opened):
    nothing = opened.data.curves.copy()
    for name in ("test_metric", "validation_metric"):
        nothing[name] = nothing[name] * np.nan
    figure = report_figures.build("convergence", {"curves": nothing}, "backup_workers", {})
    assert report_figures.NOTHING in figure.to_html()
    assert 'id="fig-convergence"' in figure.to_html()
    assert figure._repr_mimebundle_()["text/html"] == figure.to_html()
