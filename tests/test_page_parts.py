"""The parts of pages that no notebook makes: Markdown of docs, links to methods, pictures that are kept, scripts."""

import pytest
import vl_convert

from rebuttal.figures.theme import Entry, Style
from rebuttal.site import figure, html, markdown, measured, method_links, packed, page, static_picture

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"x": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}


def rendered(text, **known):
    return markdown.render(text, "The page", known.get)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[one](one.md)", '<p><a href="one.html">one</a></p>\n'),
        ("[`src/a.py`](../../src/a.py)", "<p><code>src/a.py</code></p>\n"),
        ("[the plan](../plan.md)", "<p>the plan (<code>plan.md</code>)</p>\n"),
        ("[out](https://example.org/)", '<p><a href="https://example.org/">out</a></p>\n'),
        ("a <script>x</script>", "<p>a &lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("<!-- for a program -->", ""),
        ("```text\na < b\n```", '<pre tabindex="0"><code>a &lt; b\n</code></pre>\n'),
        ("# Same\n# Same", '<h1 id="same">Same</h1>\n<h1 id="same-2">Same</h1>\n'),
    ],
)
def test_markdown_leads_somewhere_and_executes_nothing(text, made):
    assert rendered(text, **{"one.md": "one.html"}) == made


def test_a_table_of_docs_has_a_caption_and_headings_of_rows_and_columns():
    made = rendered("## Options\n\n| `a` | b & c |\n|---|---:|\n| 1 | *2* |")
    assert "<caption>Options: The page</caption>" in made
    assert '<th scope="col">b &amp; c</th>' in made
    assert '<tr><th scope="row">1</th><td data-label="b &amp; c"><em>2</em></td></tr>' in made
    assert "style=" not in made


def test_a_picture_of_docs_says_what_it_shows_and_is_no_part_of_a_paragraph():
    made = rendered('![Four "nodes"](gpipe.svg)')
    assert '<img class="picture" src="gpipe.svg" alt="Four &quot;nodes&quot;">' in made
    assert "<p>" not in made


def test_a_method_is_linked_where_it_has_a_page_and_named_where_it_has_none(project):
    folder = project / "docs" / "methods"
    folder.mkdir(parents=True)
    (folder / "softsync.md").write_text("# Softsync\n")
    assert method_links.link("softsync n=4") == '<a href="methods/softsync.html">softsync, n = 4</a>'
    assert method_links.link("own_method") == "own method"
    entry = Entry("softsync n=4", "Softsync", "what it is", Style("#000", (1, 0), "circle"))
    assert '<b><a href="methods/softsync.html">Softsync</a></b>' in html.key([entry], method_links.link)


def test_a_picture_is_drawn_once_and_again_when_its_chart_changes(project, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        vl_convert, "vegalite_to_svg", lambda text: drawn.append(text) or '<svg role="x" id="y">'
    )
    first = static_picture.static(SPEC)
    assert static_picture.static(SPEC) == first == '<svg aria-hidden="true" id="y">'
    assert len(drawn) == 1
    static_picture.static(SPEC | {"mark": "line"})
    assert len(drawn) == 2


def test_a_picture_keeps_its_marks_to_a_tenth_of_a_pixel_and_loses_what_nobody_sees():
    svg = (
        '<g class="mark-group role-frame root"><path class="background" aria-hidden="true" d="M0,0h3v2h-3Z"/>'
        '<path class="background" d="M0,0h3v2h-3Z" fill="#fff"/>'
        '<g class="mark-text role-axis-label"><text font-family="A, B" transform="translate(-0.04,12.349)" x2="0" '
        'opacity="1">0.1234</text></g><path d="M0.25,-7.061L1e-7,10.98" opacity="0.5"/></g>'
    )
    assert static_picture.small(svg) == (
        '<g><path d="M0,0h3v2h-3Z" fill="#fff"/><g class="role-axis-label"><text transform="translate(-0,12.3)">0.1234'
        '</text></g><path d="M0.2,-7.1L1e-7,11" opacity="0.5"/></g>'
    )


def test_charts_are_packed_with_what_they_share_once_and_the_same_each_time():
    rows = {"data-1": [{"x": 1.5, "name": "λ"}], "data-2": [{"x": None}]}
    first = {"config": {"font": "F"}, "datasets": rows, "mark": "point"}
    second = {"config": {"font": "F"}, "datasets": {"data-1": rows["data-1"]}, "mark": "line"}
    whole = packed.charts([first, second])
    assert packed.unpacked(packed.packed(whole)) == whole
    assert packed.packed(whole) == packed.packed(packed.charts([first, second]))
    assert whole["datasets"] == rows
    assert [one | {"config": whole["config"], "datasets": {name: rows[name] for name in one["datasets"]}}
            for one in whole["charts"]] == [first, second]  # fmt: skip


def test_a_figure_has_its_pictures_where_it_is_seen_at_once_and_none_behind_a_toggle():
    text = f"<b>{figure.PICTURE}</b><i>{figure.PICTURE}</i>"
    assert figure.with_pictures(text, ["1", "2"]) == "<b>1</b><i>2</i>"
    assert figure.with_pictures(text, []) == "<b></b><i></i>"
    with pytest.raises(ValueError, match="longer"):
        figure.with_pictures(text, ["1"])


def test_only_a_table_that_stacks_repeats_its_heads():
    assert "data-label" not in html.table(["a", "b"], [["1", "2"]], "caption")
    assert '<td data-label="b">2</td>' in html.table(["a", "b"], [["1", "2"]], "caption", "cards")


@pytest.mark.parametrize(
    ("uses", "wanted"),
    [
        ([], []),
        (["filter"], ["state.js", "filter.js"]),
        (["chart"], ["state.js", "vega.js", "charts.js"]),
        (["chart", "selection"], ["state.js", "selection.js", "vega.js", "charts.js"]),
        (["live"], ["timeline.js"]),
        (["keys"], ["keys.js"]),
    ],
)
def test_a_page_loads_the_scripts_that_it_has_work_for_and_no_other(uses, wanted):
    assert page.scripts(uses) == wanted
    made = page.render(page.Content("T", "<p>", uses=tuple(uses)), "D", "methods/x.html")
    assert [name for name in ("vega.js", "filter.js") if f'src="../assets/{name}"' in made] == [
        name for name in ("vega.js", "filter.js") if name in wanted
    ]


@pytest.mark.parametrize(
    ("device", "busy"),
    [
        ({}, False),
        ({"cores": 2, "load_average": [1.5, 9.0, 9.0]}, False),
        ({"cores": 2, "load_average": [2.5, 0.0, 0.0]}, True),
        ({"cores": 2, "load_average": [2.5, 0.0, 0.0], "timing": {"supports_timing": True}}, False),
        ({"cores": 2, "load_average": [0.0, 0.0, 0.0], "timing": {"supports_timing": False}}, True),
    ],
)
def test_a_device_that_others_used_too_is_said_to_be_busy(device, busy):
    assert measured._busy(device) is busy
