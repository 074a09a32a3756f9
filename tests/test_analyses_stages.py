"""The stages that train nothing: what they write is complete, has units and origins, and is the same each time."""

import hashlib
import json
from dataclasses import replace

import pytest

from rebuttal import params, results
from rebuttal.analyses import adversarial, continuous_time, delay_map
from rebuttal.machines import TAGS
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.schemas import ANALYSES
from rebuttal.studies import equivalence, recorded
from rebuttal.studies.adversarial import write_adversarial
from rebuttal.studies.analyses import write_analyses
from rebuttal.studies.delays import write_delays
from rebuttal.studies.equivalence import write_equivalence
from rebuttal.studies.memory import write_memory
from rebuttal.studies.rates import write_rates
from rebuttal.studies.throughput import measure_throughput
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
                   horizons=(5, 10))  # fmt: skip
    comparison = loaded.study("comparison")
    few = tuple(v for v in comparison.variants if v.method in ("all_reduce", "gpipe"))
    studies = dict(loaded.studies) | {
        "comparison": replace(comparison, variants=few),
        "layer_wise": replace(loaded.study("layer_wise"), seeds=(0,)),
    }
    given = replace(loaded, device="cpu", analyses=grid, studies=studies)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(delay_map, "WHOLE", delay_map.Grid((1, 2), (1, 64), 100, (64,), 0.5))
        patch.setattr(continuous_time, "STEPS", (0.1, 0.05))
        patch.setattr(full_size, "MODELS", {"alexnet": full_size.MODELS["alexnet"]})
        patch.setattr(equivalence, "WORKLOADS", {"digits_mlp": (equivalence.LAYER_WISE,)})
        measure_throughput(given)
        write_analyses(given)
        write_memory(given)
        write_equivalence(given)
        write_delays(given)
        write_rates(given)
        patch.setattr(adversarial, "UPDATES", 2)
        write_adversarial(given)
        patch.setattr(recorded, "UPDATES", 2)
        recorded.write_recorded(given)
        before = hashes(root)
        write_analyses(given)
        write_memory(given)
        write_equivalence(given)
        write_delays(given)
        write_rates(given)
        write_adversarial(given)
    return root, before


def hashes(root):
    files = sorted((root / "results" / "analyses").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_is_written_twice_is_the_same(made):
    root, before = made
    assert set(before) == {schema.pattern for schema in ANALYSES.values()} | {"models.json", "machines.json"}
    assert hashes(root) == before


@pytest.mark.parametrize("name", ANALYSES)
def test_every_dataset_says_its_clock_its_units_and_where_it_comes_from(made, name):
    data = results.load_analysis(name, made[0] / "results" / "analyses")
    assert data.attrs["clock"] == ("modelled" if name in MODELLED else "measured")
    assert data.attrs["question"].endswith("?")
    assert json.loads(data.attrs["versions"])["torch"]
    assert "profile" in json.loads(data.attrs["parameters"])
    assert all("units" in data[each].attrs for each in data.variables if data[each].dtype.kind in "fiu")


def test_the_grid_is_that_of_the_parameters(made):
    folder = made[0] / "results" / "analyses"
    speedups = results.load_analysis("speedups", folder)
    assert (speedups.nodes.values.tolist(), speedups.batch.values.tolist()) == ([2, 8], [16])
    assert speedups.model.values.tolist() == ["alexnet", "alexnet_convolutions"]
    assert speedups.machine.values.tolist() == list(SCALED_MACHINES)
    assert results.load_analysis("throughput", folder).samples.values.tolist() == [1, 16]
    assert results.load_analysis("memory", folder).method.values.tolist() == ["all_reduce", "gpipe m=4"]


def test_recorded_pipelines_are_found_again_to_the_bit_and_do_what_virtual_ones_do(made):
    data = results.load_analysis("recorded", made[0] / "results" / "analyses")
    assert data.checksums.values.tolist() == [recorded.STAGES * 3] * 2  # of every stage, for three versions
    assert data.share_agreed.values.tolist() == data.same_order.values.tolist() == [1, 1]


def test_every_figure_of_a_machine_has_a_source_that_says_how_far_to_trust_it(made):
    about = json.loads((made[0] / "results" / "analyses" / "machines.json").read_text())
    assert set(about) == set(SCALED_MACHINES)
    for machine in about.values():
        assert all(source.split(":")[0] in TAGS for source in machine["sources"].values())
