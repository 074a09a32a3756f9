"""Methods, rules and models from files in one study: trained, and judged by bytes and by seconds."""

import shutil
from pathlib import Path

import device_costs
import numpy as np
import pytest
from broken_params import SMALL, VALID, sizes, write
from test_own_rules import ADAMW

from rebuttal.core import results
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import rule
from rebuttal.evidence import result_files, verdicts
from rebuttal.evidence.papers import Evidence
from rebuttal.evidence.rules.compare_rule import Compare
from rebuttal.evidence.rules.trend_rule import Trend
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.studies import params
from rebuttal.studies.runs import pool
from rebuttal.studies.runs.study_stage import run_study

PAPERS = Path(__file__).parent / "papers"
OWN = [PAPERS / name for name in ("decentralised/own/dpsgd.py", "gossip/own/ad_psgd.py", "compressed/own/top_k.py",
                                  "compressed/own/low_rank.py", "models/own/lstm.py", "models/own/vit.py")]  # fmt: skip
HERE = "papers/comparison/own"
BY_CLASS = "digits_mlp@by_class"
LSTM, VIT = (f"file:{HERE}/{name}.py" for name in ("lstm", "vit"))
COSINE = {"name": f"file:{HERE}/adamw.py", "updates": 9}
ON = {"workloads": ["digits_mlp"]}
METHODS = {
    "all_reduce": {"program": "all_reduce"},
    "local_sgd": {"program": "local_sgd", "workloads": ["digits_mlp", BY_CLASS]},
    "dpsgd": {"program": "dpsgd", "variants": [{"workers": 2}, {"workers": 4}], **ON},
    "ad_psgd": {"program": "ad_psgd", **ON},
    "top_k": {"program": "top_k", **ON},
    "low_rank": {"program": "low_rank", **ON},
    "cosine": {"program": "all_reduce", "rule": COSINE, **ON},
}
RING = {
    "description": "nodes on 100 Mb/s Ethernet",
    "like": "ethernet_10g",
    "link": {"latency_s": 1e-3, "bandwidth_bytes_per_s": 12.5e6, "source": "assumed: the line rate"},
}
NUMBERS = {**SMALL, "workloads": ["digits_mlp", BY_CLASS, LSTM, VIT], "machines": ["ring"], "workers": 4,
           "batch": 32, "epochs": 1, "points": 3, "seeds": [0, 1, 2, 3, 4], "tuning_seeds": [100],
           "learning_rates": [0.003, 0.1], "shared_learning_rate": 0.1}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of the study's results, in a project in which nothing else is."""
    project = tmp_path_factory.mktemp("own")
    (project / "dvc.yaml").write_text("stages: {}\n")
    (project / HERE).mkdir(parents=True)
    (project / HERE / "adamw.py").write_text(ADAMW)
    for file in OWN:
        shutil.copy(file, project / HERE)
    tree = {"": {**VALID, "profile": "ci", "papers": ["comparison"], "sizes": sizes(SMALL)},
            "comparison": {"methods": METHODS, "machines": {"ring": RING}, "sizes": sizes(ci=NUMBERS)}}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setattr(pool, "cores", lambda: 1)
        device_costs.write(project, ["digits_mlp", LSTM, VIT])
        loaded = params.load(write(project, tree), params.installed())
        run_study(loaded, loaded.study("comparison"))
    return project / "results/ci/comparison"


def word(data, what, method):
    """The verdict on whether the method needs less than one all-reduce."""
    given = {"kind": "compare", "what": what, "of": [method], "against": ["all_reduce"], "better": "lower",
             "margin": 1.0, "workloads": ["digits_mlp"]}  # fmt: skip
    evidence = Evidence(explain="a test", figure="time_to_target", rule=Compare.model_validate(given))
    return verdicts.judge(evidence, data).word


def test_each_file_is_short():
    assert all(len(path.read_text().splitlines()) <= 70 for path in PAPERS.glob("*/own/*.py"))


def test_methods_of_ones_own_are_judged_by_bytes_and_by_seconds(study):
    """D-PSGD sends whole weights to two neighbours; a ring's all-reduce sends three quarters of them twice."""
    data = result_files.read(study)
    read = data.summaries.squeeze("machine").sel(workload="digits_mlp")
    less = {}
    for method in ("dpsgd workers=4", "ad_psgd", "top_k", "low_rank", "local_sgd"):
        for what in ("bytes_sent", "seconds_per_update"):
            own, other = (read[what].sel({"method": one}).values for one in (method, "all_reduce"))
            less[method, what] = word(data, what, method)
            assert less[method, what] == ("supported" if (own < other).all() else "contradicted")
    assert {method for (method, what), found in less.items() if (what, found) == ("bytes_sent", "supported")} == {
        "ad_psgd", "top_k", "low_rank", "local_sgd"
    }  # fmt: skip
    assert (
        less["dpsgd workers=4", "seconds_per_update"] == less["ad_psgd", "seconds_per_update"] == "supported"
    )


def test_a_rule_compares_along_the_number_of_workers(study):
    """On a ring of two each node has one neighbour, on one of four two: as many batches take twice the bytes."""
    given = {"kind": "trend", "what": "bytes_sent", "of": "dpsgd workers=", "direction": "rising"}
    evidence = Evidence(explain="a test", figure="time_to_target", rule=Trend.model_validate(given))
    found = verdicts.judge(evidence, result_files.read(study))
    assert found.word == "supported"
    assert found.found.levels["4"] == pytest.approx(2 * found.found.levels["2"], rel=0.2)


def test_the_same_rule_by_file_in_study_replay_and_real_run(study):
    project = study.parents[2]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        made = rule(**COSINE)
        tuned = results.load_curves(study).sel(
            {"method": "cosine", "workload": "digits_mlp", "rate": "tuned", "seed": 0}
        )
        timeline = Timeline.load(next((study / "timelines/cosine").glob("*seed_0.npz")))
        rate = float(tuned.learning_rate.squeeze())
        again = replay(timeline, learning_rates=[rate], rule=made, points=3, table=EXACT)
        np.testing.assert_allclose(tuned.test_loss.squeeze(), again.test_loss.squeeze(), rtol=1e-5)
        given = {"workload": "digits_mlp", "workers": 4, "updates": 9}
        real = record("all_reduce", rule=made, learning_rate=rate, checksums_every=9, **given)
        assert real.order.key == timeline.order.key
        assert verify(real, trust=project / HERE / "adamw.py") == 2


@pytest.mark.parametrize("model", [LSTM, VIT])
def test_a_model_as_its_library_has_it_learns(study, model):
    curves = (
        results.load_curves(study)
        .sel({"method": "all_reduce", "workload": model, "rate": "tuned"})
        .squeeze("machine")
    )
    loss = curves.training_loss.mean("seed").values
    assert loss[-1] < loss[0]


def test_local_training_on_classes_of_its_own_falls_behind(study):
    """Of the same method: on data that each worker has only some classes of, the mean of four is worse."""
    ends = (
        results.load_curves(study)
        .sel({"method": "local_sgd", "rate": "tuned"})
        .test_loss.isel(point=-1)
        .squeeze()
    )
    assert (ends.sel(workload=BY_CLASS) > ends.sel(workload="digits_mlp")).all()
    name = next((study / "timelines/local_sgd").glob("*by_class*seed_0*"))
    assert Timeline.load(name).about["workload"] == f"{BY_CLASS}/4"
