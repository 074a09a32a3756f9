"""Which learning rates a study trains at: the tuned one, and the shared one where a method asks for it."""

import device_costs
import numpy as np
from broken_params import SMALL, VALID, sizes, write

from rebuttal.core import results
from rebuttal.studies import params
from rebuttal.studies.runs import pool
from rebuttal.studies.runs.study_stage import run_study

TINY = {**SMALL, "workers": 2, "epochs": 1, "points": 3, "seeds": [0, 1], "tuning_seeds": [100],
        "machines": ["ideal"], "learning_rates": [0.05, 0.1], "shared_learning_rate": 0.1}  # fmt: skip
METHODS = {
    "all_reduce": {"program": "all_reduce"},
    "asynchronous": {"program": "asynchronous", "untuned": True},
}


def test_the_shared_rate_is_run_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    device_costs.write(tmp_path, ["digits_mlp"])
    study = {"methods": METHODS, "machines": {}, "sizes": sizes()}
    whole = {"": {**VALID, "profile": "ci", "papers": ["comparison"], "sizes": sizes(SMALL, ci=TINY)},
             "comparison": study}  # fmt: skip
    loaded = params.load(write(tmp_path, whole))
    run_study(loaded, loaded.study("comparison"))
    curves = results.load_curves("comparison")
    ran = curves.test_loss.notnull().all("point").all("seed").squeeze(drop=True)
    assert ran.sel({"rate": "tuned"}).values.all()
    assert ran.sel({"rate": "shared"}).to_series().to_dict() == {"all_reduce": False, "asynchronous": True}
    rates = curves.learning_rate.squeeze(drop=True)
    assert float(rates.sel({"method": "asynchronous", "rate": "shared"})) == 0.1
    assert np.isnan(rates.sel({"method": "all_reduce", "rate": "shared"}))
