"""The page on how it was measured: device, clock, seeds, budgets, and what was not done; read from files, not typed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.evidence import datasets, replication, result_files
from rebuttal.evidence.result_files import Runs
from rebuttal.figures.theme import words
from rebuttal.machines import MACHINES
from rebuttal.site import html, markdown, settings, systems
from rebuttal.site.files import notes, reviewed
from rebuttal.site.page import Heading
from rebuttal.site.verdict import Row

TITLE = "How it was measured"
STATUS = "status.md"  # of docs: what has been run, and what has not
CALIBRATION = "calibration.html"
TIMED = ("device of the layer costs",)  # of the devices of settings.DEVICES, those whose seconds count
BUSY = "The device was not free during its timing: seconds that rest on it may be too long."


@dataclass(frozen=True)
class MeasuredStudy:
    """The runs of a study, and the parameters that its result files carry."""

    data: Runs
    given: dict[str, Any]

    @property
    def name(self) -> str:
        """The study's name for a reader."""
        return words(self.data.folder.name)


def parts() -> list[tuple[Heading, str]]:
    """The page's chapters. Raises InputError naming what is missing or broken in a result file."""
    studies = [_study(path) for path in sorted(paths.results().glob("*/training"))]
    found = {
        "The device": _device(studies),
        "The clock": _clock(studies),
        "Studies": _sizes(studies),
        "Systems that the reviews name": systems.html_of([study.data for study in studies]),
        "Tuning": _tuning(studies),
        "With other seeds": _replicated(),
        "Software": _software(studies),
        "Asked, and not answered": _gaps([row for review in reviewed() for row in review["rows"]]),
        "Run, and not run": _status(),
    }
    return [(Heading(2, markdown.slug(name), name), text) for name, text in found.items()]


def _replicated() -> str:
    """Whether the answers hold with other seeds: the parts whose word is another one then."""
    found = replication.of_profile(paths.profile())
    if found is None:
        return html.element("p", "The studies of this profile have not been trained again with other seeds.")
    keys = ("id", "part", "reference", "again")
    shown = [[*(row[key] or "" for key in keys), *row["answers"]] for row in found["differ"]]
    cells = [tuple(map(escape, each)) for each in shown]
    head = ("Question", "Part", "Word", "With other seeds", "Answer", "With other seeds")
    table = html.table(head, cells, "Parts whose word differs with other seeds", "cards")
    return html.element("p", replication.in_words(found)) + (table if cells else "")


def _study(training: Path) -> MeasuredStudy:
    data = result_files.read_runs(training.parent)
    return MeasuredStudy(data, settings.parameters(data))


def _device(studies: Sequence[MeasuredStudy]) -> str:
    """The devices that the layer costs are of, and those on which values were computed, side by side."""
    noted = [note for study in studies for note in notes(study.data.folder, "provenance.json").values()]
    found = [(what, one) for what, key in settings.DEVICES.items() for one in settings.distinct(noted, key)]
    if not found:
        return html.element("p", "No device has been noted beside the results.")
    devices = [(what, settings.flat(one)) for what, one in found]
    keys = dict.fromkeys(key for _, device in devices for key in device)
    cells = [(escape(key), *(device.get(key, "–") for _, device in devices)) for key in keys]
    table = html.table(
        ("Property", *(what for what, _ in devices)), cells, "Devices behind the results", "compact"
    )
    busy = any(_busy(one) for what, one in found if isinstance(one, Mapping) and what in TIMED)
    return table + (html.element("p", BUSY) if busy else "")


def _busy(device: Mapping[str, Any]) -> bool:
    """Whether others had the device too, as far as is known: as was found meanwhile, or by its load at the start."""
    if "timing" in device:
        return not device["timing"]["supports_timing"]
    return device.get("load_average", [0])[0] > device.get("cores", 1)


def _clock(studies: Sequence[MeasuredStudy]) -> str:
    """Whose seconds they are, machine by machine, and what is known of the error of a modelled clock."""
    clocks = {study.name: escape(f"{study.data.curves.attrs['clock']} seconds") for study in studies}
    names = dict.fromkeys(str(name) for study in studies for name in study.data.curves.machine.values)
    cells = [
        (escape(words(name)), escape(_description(name, studies)),
         escape(", ".join(study.name for study in studies if name in study.data.curves.machine.values)))
        for name in names
    ]  # fmt: skip
    table = html.table(
        ("Machine", "What it is", "Studies"), cells, "Machines whose clock the studies run on", "cards"
    )
    sources = html.element(
        "p", f"Every figure of a machine has its source: {html.link('machines', 'machines.html')}."
    )
    return html.facts(clocks) + table + sources + html.element("p", _calibration())


def _description(name: str, studies: Sequence[MeasuredStudy]) -> str:
    """What a machine is: a preset, or one of a study's own, as its result files tell it."""
    if name in MACHINES:
        return MACHINES[name].description
    own = [study.given.get("own_machines", {}).get(name, {}) for study in studies]
    return next((one["description"] for one in own if "description" in one), "a machine of a study's own")


def _calibration() -> str:
    if (paths.site() / CALIBRATION).is_file():
        return f"The modelled clock against a real one: {html.link('calibration', CALIBRATION)}."
    return "How far the modelled clock is from a real one has not been recorded on this device."


def _sizes(studies: Sequence[MeasuredStudy]) -> str:
    """How much of everything each study ran."""
    cells = []
    for study in studies:
        curves, given = study.data.curves, study.given
        ran = datasets.ran(curves)
        lost = int((ran & curves.reset_coords().diverged_at.notnull()).sum())
        cells.append(
            (escape(study.name), escape(str(curves.attrs.get("profile", "–"))), _listed(curves.workload.values),
             _said(given, "workers"), _said(given, "batch"), _said(given, "epochs"), _listed(curves.seed.values),
             f"{curves.sizes['method']}", f"{int(ran.sum())}, of which {lost} diverged")
        )  # fmt: skip
    head = ("Study", "Profile", "Workloads", "Workers", "Samples of a gradient", "Epochs", "Seeds", "Variants",
            "Training runs")  # fmt: skip
    return html.table(head, cells, "What was run, by study", "cards")


def _tuning(studies: Sequence[MeasuredStudy]) -> str:
    """The budget of the search for a learning rate, which is one for every variant."""
    cells = []
    for study in studies:
        tuning = study.data.tuning
        each = int(tuning.diverged.notnull().sum(["learning_rate", "seed"]).max())
        cells.append(
            (escape(study.name), _listed(tuning.learning_rate.values), _listed(tuning.seed.values), f"{each}",
             f"{int(tuning.diverged.notnull().sum())}", f"{int((tuning.diverged > 0).sum())}",
             f"{int((tuning.at_edge > 0).sum())}")
        )  # fmt: skip
    head = ("Study", "Learning rates", "Tuning seeds", "Runs of each variant in each place", "Runs in all", "Diverged",
            "Chosen at the edge of the grid")  # fmt: skip
    said = (
        "Every variant has the same budget: the whole grid on the first tuning seed, then the best rates on the "
        "others. Tuning looks at validation data, with seeds that nothing else uses."
    )
    return html.element("p", said) + html.table(
        head, cells, "The search for learning rates, by study", "cards files"
    )


def _software(studies: Sequence[MeasuredStudy]) -> str:
    """Versions and commits of the runs."""
    pairs: dict[str, str] = {}
    for study in studies:
        versions = json.loads(study.data.curves.attrs.get("versions", "{}"))
        commits = {
            str(note.get("git_commit", "unknown"))
            for note in notes(study.data.folder, "provenance.json").values()
        }
        said = ", ".join(f"{name} {version}" for name, version in versions.items())
        pairs[study.name] = escape("; ".join([said, *(f"commit {commit}" for commit in sorted(commits))]))
    return html.facts(pairs)


def _gaps(rows: Sequence[Row]) -> str:
    """Every question that lacks something, and what it lacks, in the words of the paper's file."""
    cells = [
        (html.link(row["id"], f"{row['paper']}.html#{row['id']}") + f"<br>{escape(row['text'])}",
         html.badge(row["word"]), escape(row["missing"] or "more seeds, or a smaller interval"))
        for row in rows if row["missing"] or row["word"] in ("open", "cannot tell")
    ]  # fmt: skip
    if not cells:
        return html.element(
            "p", "Every question of every paper has its evidence, and nothing is stated as missing."
        )
    head = ("Question", "Word", "What is missing")
    return html.table(
        head, cells, "Questions that are open or cannot be told, or whose answer lacks something", "cards"
    )


def _status() -> str:
    """What has been run and what has not, as docs keep it; its title is this chapter's."""
    text = (paths.root() / "docs" / STATUS).read_text(encoding="utf-8")
    return markdown.render(text.partition("\n")[2], TITLE, lambda _: None, demoted=1)


def _listed(values: Sequence[Any]) -> str:
    return escape(", ".join(words(str(value)) for value in values))


def _said(given: dict[str, Any], key: str) -> str:
    return escape(str(given.get(key, "–")))
