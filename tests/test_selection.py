"""One selection for a page: what charts, tables and the form make of it, and which code a page rests on."""

import json

import altair as alt
import nbformat
import pandas as pd
import pytest

from rebuttal.base.errors import InputError
from rebuttal.figures.panel import axis, panel, rows_of
from rebuttal.figures.single_seeds import plain
from rebuttal.site import figure, live, markdown, notebook_page, page_inputs, selection, tables
from rebuttal.site.html import PAGE_MIME, PIECE_MIME
from rebuttal.site.static_picture import static as picture

FRAME = pd.DataFrame(
    {
        "method": ["softsync n=4", "asynchronous", "softsync n=4"],
        "mean": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 3.0], "high": [3.0, 4.0, 5.0], "n": [2, 2, 2],
        "mean@0": [1.5, 2.5, 3.5], "mean@7": [2.5, 3.5, None],
        "multiple": [3.0, 3.0, 1.5], "standard": [True, True, False],
    }
)  # fmt: skip


def made(frame, **options):
    base = rows_of(frame)
    band = base.mark_area(opacity=0.2).encode(axis(alt.X, "n", "n"), alt.Y("low:Q"), alt.Y2("high"))
    point = base.mark_point().encode(axis(alt.X, "n", "n"), axis(alt.Y, "mean", "mean (s)"))
    return panel([band, point], "title", "about", "said", (), **options)


def test_a_chart_has_the_parameters_of_the_selection_and_draws_without_them_what_it_did():
    one = made(FRAME)
    spec, dims = selection.of(one, figure.page_spec(one))
    assert dims == selection.Dims(("softsync n=4", "asynchronous"), ("0", "7"), ("1.5", "3"))
    assert {each["name"]: each["value"] for each in spec["params"]} == selection.NONE
    (rows,) = spec["datasets"].values()
    assert rows[0]["mean@"] == [1.5, 2.5]
    assert (rows[0]["mean@all"], rows[0]["low@all"]) == (2.0, 1.0)
    for layer in spec["layer"]:
        calculated = {one["as"] for one in layer["transform"] if "calculate" in one}
        assert calculated == {"mean", "low", "high"}
        assert {"filter": selection.AT_TARGET} in layer["transform"]
        assert selection.CHOSEN in layer["encoding"]["opacity"]["condition"]["test"]
    assert spec["layer"][0]["encoding"]["opacity"]["condition"]["value"] == 0.2
    static, moved = picture(spec), json.loads(json.dumps(spec))
    moved["params"] = [
        {"name": "pick_seed", "value": 1},
        *(p for p in spec["params"] if p["name"] != "pick_seed"),
    ]
    assert picture(moved) != static


def test_a_chart_without_anything_to_select_stays_as_it_is():
    one = made(pd.DataFrame({"n": [1], "mean": [1.0], "low": [1.0], "high": [1.0]}))
    spec = figure.page_spec(one)
    assert selection.of(one, figure.page_spec(one)) == (spec, selection.Dims())
    about_one = made(FRAME[["n", "mean", "low", "high"]], method="gpipe m=2")
    assert selection.of(about_one, figure.page_spec(about_one))[1].methods == ("gpipe m=2",)


def test_a_table_shows_one_target_and_keeps_the_others_and_single_seeds_for_the_selection():
    text = tables.frame_table(FRAME, "numbers")
    assert text.count('class="other"') == 1
    assert '<tr data-method="softsync n=4" data-target="3">' in text
    assert '<span data-single="1.5|2.5">2</span>' in text
    assert '<span data-single="–">1</span>' in text
    assert "@" not in text
    assert list(plain(FRAME)) == ["method", "mean", "low", "high", "n"]
    assert plain(FRAME).attrs["rows"] == 2


def test_a_page_has_the_form_for_what_its_charts_have_and_no_other():
    about = {
        "kind": "figure",
        "id": "f",
        "charts": 1,
        "methods": ["gpipe m=2", "hogwild"],
        "seeds": ["0", "10", "9"],
    }
    made_page = rendered("<figure></figure>", about | {"targets": []})
    assert made_page.index('id="selection"') < made_page.index("<h2")
    assert 'value="gpipe m=2"> GPipe, m = 2</label>' in made_page
    assert made_page.index(">9 alone<") < made_page.index(">10 alone<")
    assert 'name="target"' not in made_page
    assert 'id="selection"' not in rendered("<p>nothing to select</p>", {})


def rendered(shown, about):
    """A page of a notebook with one output below its only chapter."""
    node = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("show()")
    cell.outputs = [nbformat.v4.new_output("display_data", {PAGE_MIME: shown, PIECE_MIME: about})]
    node.cells = [nbformat.v4.new_markdown_cell("# T\n\n## A"), cell]
    return notebook_page.render(node, "x.ipynb", "x.html")


def test_a_page_rests_on_the_code_of_the_charts_that_it_shows(monkeypatch):
    named = page_inputs.code_behind(["equivalence", "speed_up_over_all_reduce"], "paper_review")
    modules = {name.rpartition(".")[2] for name in named["modules"]}
    assert {"same_weights", "targets", "error_curves", "panel", "theme", "chart_rows"} <= modules
    assert not {"by_name", "error_bounds", "clock_runs", "method_rates"} & modules
    assert "all_reduce" in named["figures"]["speed_up_over_all_reduce"]
    assert "method_rates" in str(page_inputs.code_behind([], "comparison"))
    with pytest.raises(InputError, match="equivalence"):
        page_inputs.code_behind(["equivalenz"], "paper_review")


def test_the_live_time_line_has_the_data_of_its_picture_and_a_picture_without_is_refused(tmp_path):
    data = '{"rows": {"1": ["worker 1", 10, 26]}, "kinds": ["a&lt;b"], "spans": []}'
    picture = tmp_path / "m.svg"
    picture.write_text(f'<svg viewBox="0 0 860 300">\n<metadata id="spans">{data}</metadata>\n<g/></svg>')
    parts = markdown.parts(
        "# M\n\n![m](m.svg)", "M", lambda _: None, lambda url: live.steps_of(tmp_path / url)
    )
    ((heading, text),) = parts
    assert heading.text == "M"
    assert text.index('class="live"') > text.index("</div>")
    assert '"kinds":["a<b"]' in text
    assert '"bottom":36' in text
    assert live.picture(picture) == '<svg viewBox="0 0 860 300">\n<g/></svg>'
    picture.write_text('<svg viewBox="0 0 860 300"/>')
    with pytest.raises(InputError, match=r"m\.svg: no data of its run"):
        live.steps_of(picture)
