"""A paper's own methods stand out in its figures: in their colours, before a dark baseline and grey others."""

import altair as alt
import pandas as pd

from rebuttal import workloads
from rebuttal.evidence import naming
from rebuttal.figures import theme
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import axis, emphasised, method_key, panel, with_own_first
from rebuttal.site import templates

LABELS = ["mini_batch shards=4", "backup_workers b=1", "backup_workers_momentum b=1", "asynchronous"]


def drawn(labels):
    frame = pd.DataFrame({"method": labels, "n": range(len(labels)), "mean": 1.0})
    key = method_key(labels, None)
    m = marks(frame, axis(alt.X, "n", "n"), axis(alt.Y, "mean", "mean"), key)
    return panel([m.line(), m.point()], "title", "about", "said", key)


def test_a_papers_own_methods_keep_their_colours_and_all_others_stand_back():
    plain = drawn(LABELS)
    one = emphasised(plain, {"backup_workers"})
    own, shown = ({entry.label: entry.style.colour for entry in some.key} for some in (plain, one))
    assert shown == own | {"mini_batch shards=4": theme.STRONG, "asynchronous": theme.MUTED}
    for layer in one.spec["layer"]:
        scale = layer["encoding"]["color"]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == shown
    assert [theme.is_muted(entry.style) for entry in one.key] == [False, False, False, True]
    assert [entry.style.dash for entry in one.key] == [entry.style.dash for entry in plain.key]


def test_nothing_stands_out_where_none_or_all_are_the_papers_own():
    for labels, own in (
        (LABELS, {"gpipe"}),
        (LABELS[1:3], {"backup_workers"}),
        (["backup"], {"backup_workers"}),
    ):
        plain = drawn(labels)
        assert emphasised(plain, own) is plain


def test_panels_with_a_papers_own_methods_come_first_and_keep_their_order():
    some = [drawn([label]) for label in (LABELS[0], LABELS[3], LABELS[1], LABELS[2])]
    assert with_own_first(some, {"backup_workers"}) == [some[2], some[3], some[0], some[1]]
    assert with_own_first(some, {"gpipe"}) == some


def test_what_stands_back_does_so_on_dark_paper_too():
    dark = templates.text("style.css").split("screen and (prefers-color-scheme: dark)")[1]
    for colour in (theme.STRONG, theme.MUTED):
        assert f'[stroke="{colour}"] {{ stroke: #' in dark
        assert f'[fill="{colour}"] {{ fill: #' in dark


def test_every_workload_has_a_name_that_people_use():
    assert set(workloads.NAMES) <= set(naming.NAMES)
    said = [naming.NAMES[name] for name in workloads.NAMES]
    assert len(set(said)) == len(said)
