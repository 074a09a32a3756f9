"""The stages that train nothing: what they write is complete, has units and origins, and is the same each time."""

import hashlib
import json
from dataclasses import replace

import device_costs
import pytest

from rebuttal.base.errors import InputError
from rebuttal.cli import pipeline
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES, STAGE
from rebuttal.core.schemas import STRAGGLERS
from rebuttal.machines import TAGS
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies import params
from rebuttal.studies.analyses import (
    adversarial,
    all_of_them,
    continuous_time,
    delay_map,
    equivalence,
    straggler_statistics,
)
from rebuttal.studies.runs.simulating import simulate_method
from rebuttal.studies.runs.tuning import tune_method
from rebuttal.studies.stages import recorded_stage
from rebuttal.studies.stages.worker_counts_stage import on_counts, write_worker_counts
from rebuttal.workloads import full_size

MEASURED = ("throughput", "recorded")
MODELLED = [name for name in ANALYSES if name not in MEASURED]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of results of the four stages, with one model and few methods, and the parameters."""
    root = tmp_path_factory.mktemp("stages")
    (root / "dvc.yaml").write_text("stages: {}\n")
    loaded = params.load()
    grid = replace(loaded.analyses, workloads=("digits_mlp",), samples=(1, 16), nodes=(2, 8), batches=(16,),
                   horizons=(5, 10), worker_counts=(2, 4), seeds=(0, 1), tuning_seeds=(100,))  # fmt: skip
    comparison = loaded.study("comparison")
    few = tuple(v for v in comparison.variants if v.method in ("all_reduce", "gpipe"))
    studies = dict(loaded.studies) | {
        "comparison": replace(comparison, variants=few),
        "layer-wise": replace(loaded.study("layer-wise"), seeds=(0,)),
        "backup-workers": replace(
            loaded.study("backup-workers"),
            seeds=(0,),
            tuning_seeds=(100,),
            epochs=1,
            points=3,
            learning_rates=(0.1, 0.3),
        ),
    }
    given = replace(loaded, device="cpu", analyses=grid, studies=studies)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(delay_map, "WHOLE", delay_map.DelayGrid((1, 2), (1, 64), 100, (64,), 0.5))
        patch.setattr(continuous_time, "STEPS", (0.1, 0.05))
        patch.setattr(full_size, "MODELS", {"alexnet": full_size.MODELS["alexnet"]})
        patch.setattr(equivalence, "WORKLOADS", {"digits_mlp": (equivalence.LAYER_WISE,)})
        patch.setattr(straggler_statistics, "ITERATIONS", 100)
        patch.setattr(adversarial, "UPDATES", 2)
        patch.setattr(adversarial, "EPOCHS", 2)
        patch.setattr(recorded_stage, "UPDATES", 2)
        device_costs.write(root, ["digits_mlp"])
        write_baseline(given)
        write_all(given)
        recorded_stage.write_recorded(given)
        before = hashes(root)
        write_all(given)
    return root, before


def write_all(given):
    """What is the same each time."""
    all_of_them.write_all(given)
    write_worker_counts(given)


def write_baseline(given):
    """What runs on several numbers of workers rest on: the tuning of mini-batch SGD."""
    study = given.study("backup-workers")
    first = [replace(one, workloads=("digits_mlp",)) for one in study.of("mini_batch")[:1]]
    baseline = replace(study, workloads=("digits_mlp",), variants=tuple(first))
    simulate_method(baseline, "mini_batch")
    tune_method(given, baseline, "mini_batch")


def hashes(root):
    files = sorted((root / "results" / "quick" / "analyses").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_is_written_twice_is_the_same(made):
    root, before = made
    assert set(before) == {schema.pattern for schema in ANALYSES.values()} | set(pipeline.analysis_files())
    assert hashes(root) == before


@pytest.mark.parametrize("name", ANALYSES)
def test_every_dataset_says_its_clock_its_units_and_where_it_comes_from(made, name):
    data = results.load_analysis(name, made[0] / "results" / "quick" / "analyses")
    assert data.attrs["clock"] == ("modelled" if name in MODELLED else "measured")
    assert data.attrs["question"].endswith("?")
    assert json.loads(data.attrs["versions"])["torch"]
    assert "profile" in json.loads(data.attrs["parameters"])
    assert all("units" in data[each].attrs for each in data.variables if data[each].dtype.kind in "fiu")


def test_every_analysis_of_the_stage_has_a_record_and_reads_what_another_writes():
    records = all_of_them.RECORDS
    assert set(records) == {name for name, each in ANALYSES.items() if each.stage == STAGE} | {
        STRAGGLERS.name
    }
    assert all(need in records for each in records.values() for need in each.needs)


def test_one_analysis_alone_leaves_the_others_as_they_are(made, monkeypatch):
    given = replace(params.load(), device="cpu")
    monkeypatch.chdir(made[0])
    others = hashes(made[0])
    (made[0] / "results" / "quick" / "analyses" / "continuous_time.nc").unlink()
    all_of_them.write_all(given, ["continuous_time"])
    assert set(hashes(made[0])) == set(others)
    with pytest.raises(InputError, match="did you mean 'memory'"):
        all_of_them.write_all(given, ["memry"])


def test_the_grid_is_that_of_the_parameters(made):
    folder = made[0] / "results" / "quick" / "analyses"
    speedups = results.load_analysis("speedups", folder)
    assert (speedups.nodes.values.tolist(), speedups.batch.values.tolist()) == ([2, 8], [16])
    assert speedups.model.values.tolist() == ["alexnet", "alexnet_convolutions"]
    assert speedups.machine.values.tolist() == list(SCALED_MACHINES)
    assert results.load_analysis("throughput", folder).samples.values.tolist() == [1, 16]
    assert results.load_analysis("memory", folder).method.values.tolist() == ["all_reduce", "gpipe m=4"]


def test_the_runs_on_a_number_of_workers_have_that_number(made):
    data = results.load_analysis("worker_counts", made[0] / "results" / "quick" / "analyses")
    assert data.workers.values.tolist() == [2, 4]
    stale = data.staleness_mean.isel(seed=0)
    assert stale.sel({"method": "asynchronous"}).values == pytest.approx([1, 3], abs=0.5)  # N - 1
    assert stale.sel({"method": "backup_workers"}).values.tolist() == [0, 0]
    assert bool(data.final_error.notnull().all())


def test_a_study_on_several_numbers_of_workers_names_each_in_its_labels():
    study = on_counts(params.load().study("backup-workers"), (2, 8))
    labels = [one.label for one in study.variants]
    assert labels[0] == "backup_workers b=1 workers=2"
    assert len(labels) == len(set(labels)) == 4
    assert {one.workers for one in study.variants} == {2, 8}
    assert (len(study.workloads), len(study.machines)) == (1, 1)


def test_recorded_pipelines_are_found_again_to_the_bit_and_do_what_virtual_ones_do(made):
    data = results.load_analysis("recorded", made[0] / "results" / "quick" / "analyses")
    assert (
        data.checksums.values.tolist() == [recorded_stage.STAGES * 3] * 2
    )  # of every stage, for three versions
    assert data.share_agreed.values.tolist() == data.same_order.values.tolist() == [1, 1]


def test_every_figure_of_a_machine_has_a_source_that_says_how_far_to_trust_it(made):
    about = json.loads((made[0] / "results" / "quick" / "analyses" / "machines.json").read_text())
    assert set(about) == set(SCALED_MACHINES)
    for machine in about.values():
        assert all(source.split(":")[0] in TAGS for source in machine["sources"].values())
