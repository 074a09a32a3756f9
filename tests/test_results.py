"""Result files: atomic, byte-stable, and refused in one line when they are not what they should be."""

import time

import h5py
import numpy as np
import pytest
import synthetic_results
import xarray as xr

from rebuttal.base import netcdf
from rebuttal.base.errors import InputError
from rebuttal.core import results


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return synthetic_results.write(tmp_path_factory.mktemp("results"))


def test_equal_datasets_give_equal_bytes(tmp_path):
    data = synthetic_results.curves("backup_workers")
    results.save(data, tmp_path / "a.nc")
    time.sleep(1.1)  # a time stamp would show
    results.save(data.copy(deep=True), tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_saved_is_loaded_with_its_types(tmp_path):
    floats = {"a": ("x", np.array([1, 2], dtype=np.float32)), "b": ("x", [1.0, np.nan])}
    data = xr.Dataset(floats | {"c": ("x", [True, False])}, {"x": ["one", "two"]}, {"clock": "modelled"})
    results.save(data, tmp_path / "deep" / "a.nc")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "deep" / "a.nc", engine="h5netcdf"), data)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.nc"
    results.save(xr.Dataset({"a": ("x", [1.0])}), path)
    before = path.read_bytes()
    with pytest.raises((ValueError, TypeError)):
        results.save(xr.Dataset({"a": ("x", [object()])}), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]


def test_methods_are_joined_and_gaps_are_nan(study):
    curves = results.load_curves(study)
    assert curves.sizes["method"] == sum(len(variants) for variants in synthetic_results.METHODS.values())
    assert list(curves.workload.values) == list(synthetic_results.WORKLOADS)
    missing = curves.test_metric.sel({"method": "delayed k=20", "workload": "digits_mlp"})
    assert bool(missing.isnull().all())
    assert str(curves.file.sel({"method": "delayed k=20"}).item()) == "training/delayed/curves.nc"
    assert curves.attrs["clock"] == "modelled"
    assert curves.seconds.attrs["units"] == "s"
    whole = xr.load_dataset(study / "training" / "asynchronous" / "curves.nc", engine="h5netcdf")
    np.testing.assert_array_equal(
        curves.test_metric.sel({"method": "asynchronous"}).values,
        whole.test_metric.isel({"method": 0}).values,
    )


def test_a_staleness_that_one_file_never_saw_has_the_count_zero(tmp_path):
    long = synthetic_results.summaries("asynchronous")
    results.save(long, tmp_path / "summaries" / "asynchronous.nc")
    short = synthetic_results.summaries("synchronous").isel(staleness=slice(1))
    results.save(short, tmp_path / "summaries" / "synchronous.nc")
    counts = results.load_summaries(tmp_path).staleness_count.sel({"method": "synchronous"})
    assert counts.sizes["staleness"] == long.sizes["staleness"]
    assert float(counts.sum()) == float(short.staleness_count.sum())
    assert bool(counts.notnull().all())


def test_the_other_files_load_too(study):
    assert results.load_tuning(study).validation_metric.dims[3:] == ("learning_rate", "seed")
    assert results.load_summaries(study).staleness_count.dims[3:] == ("staleness",)
    assert results.load_stragglers(study.parent / "analyses").iteration_seconds_simulated.dims == (
        "straggler",
        "workers",
        "backups",
    )


def test_files_are_read_as_xarray_reads_them(study):
    for path in study.rglob("*.nc"):
        xr.testing.assert_identical(netcdf.load(path), xr.load_dataset(path, engine="h5netcdf"))


def test_dims_without_labels_and_numbers_without_dims_are_read(tmp_path):
    data = xr.Dataset(
        {"a": (("row", "b"), np.eye(2)), "n": 3, "flag": ("row", [True, False])}, {"b": ["x", "yé"]}
    )
    results.save(data.assign_attrs(one=1, text="t"), tmp_path / "a.nc")
    xr.testing.assert_identical(netcdf.load(tmp_path / "a.nc"), data.assign_attrs(one=1, text="t"))


def test_every_flipped_bit_of_a_result_file_is_seen(study, tmp_path):
    content = next(study.glob("tuning/*.nc")).read_bytes()
    (tmp_path / "tuning").mkdir()
    path, random = tmp_path / "tuning" / "a.nc", np.random.default_rng(0)
    places = [*random.integers(0, len(content), 400), *range(len(content) - netcdf.SEAL_BYTES, len(content))]
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(random.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(InputError, match=r"a\.nc: cannot be read as netCDF \(.*\); make it again$"):
            results.load_tuning(tmp_path)
    for other in (content + b"x", content[:-1], content[:-40]):
        path.write_bytes(other)
        with pytest.raises(InputError, match="cannot be read as netCDF"):
            results.load_tuning(tmp_path)


def test_a_file_that_was_never_sealed_is_read(tmp_path):
    """As those of other programs are."""
    data = xr.Dataset({"a": ("x", [1.0])})
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    xr.testing.assert_identical(netcdf.load(tmp_path / "a.nc"), data)


def test_a_file_with_a_block_of_its_users_before_it_is_read(tmp_path):
    """HDF5 leaves that block alone, and its first bytes may look like anything."""
    with h5py.File(tmp_path / "a.nc", "w", userblock_size=512):
        pass
    assert dict(netcdf.load(tmp_path / "a.nc").variables) == {}


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.nc").open("wb") as file:
        file.truncate(netcdf.MOST_BYTES + 1)  # takes no place on the disk
    with pytest.raises(ValueError, match=r"134,217,729 bytes; at most 134,217,728"):
        netcdf.load(tmp_path / "a.nc")


def drop(name):
    return lambda data: data.drop_vars(name)


def put(name, value):
    def change(data):
        data[name].values[..., -1] = value
        return data

    return change


def relabel(data):
    labels = data.method.values.tolist()
    return data.assign_coords({"method": [labels[0]] * len(labels)})


BROKEN = {
    "a missing variable": (drop("test_metric"), "test_metric: missing"),
    "a missing coordinate": (drop("seconds"), "seconds: missing"),
    "an accuracy above one": (put("test_metric", 1.5), "outside"),
    "a gap in a run": (put("test_loss", np.nan), "test_loss: got a gap"),
    "an infinite time": (put("seconds", np.inf), "seconds: got NaN or inf"),
    "time running backwards": (put("seconds", -1.0), "seconds: got a falling value"),
    "minus infinity": (put("training_loss", -np.inf), "training_loss: got -inf"),
    "no clock": (lambda data: data.drop_attrs(), "clock: got None"),
    "wrong dims": (
        lambda data: data.assign(diverged_at=data.diverged_at.isel(seed=0, drop=True)),
        "got dims",
    ),
    "texts for numbers": (lambda data: data.assign(training_loss=data.training_loss.astype(str)), "got type"),
    "one label twice": (relabel, "twice"),
    "no labels": (drop("machine"), "machine: got no labels"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_curves_are_refused_in_one_line(case, tmp_path):
    change, message = BROKEN[case]
    data = change(synthetic_results.curves("backup_workers"))
    results.save(data, tmp_path / "training" / "backup_workers" / "curves.nc")
    with pytest.raises(InputError) as error:
        results.load_curves(tmp_path)
    assert message in str(error.value)
    assert "backup_workers" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_that_diverged_may_have_gaps(tmp_path):
    data = synthetic_results.curves("asynchronous")
    data.test_loss[0, 0, 0, 0, 0, 5:] = np.nan
    data.diverged_at[0, 0, 0, 0, 0] = 123.0
    results.save(data, tmp_path / "training" / "asynchronous" / "curves.nc")
    assert int(results.load_curves(tmp_path).diverged_at.notnull().sum()) == 1


def test_a_corrupt_file_is_refused(tmp_path):
    path = tmp_path / "training" / "all_reduce" / "curves.nc"
    results.save(synthetic_results.curves("all_reduce"), path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"curves\.nc: cannot be read"):
        results.load_curves(tmp_path)


def test_the_same_label_in_two_files_is_refused(tmp_path):
    for name in ("one", "two"):
        results.save(synthetic_results.curves("all_reduce"), tmp_path / "training" / name / "curves.nc")
    with pytest.raises(InputError, match="all_reduce"):
        results.load_curves(tmp_path)


def test_an_empty_folder_and_an_unknown_study_are_refused(tmp_path, project):
    with pytest.raises(InputError, match="no training"):
        results.load_curves(tmp_path)
    (project / "results" / "quick" / "backup-workers").mkdir(parents=True)
    with pytest.raises(InputError, match="did you mean 'backup-workers'"):
        results.load_curves("backup_worker")


def test_stragglers_must_be_simulated_wherever_possible(tmp_path):
    data = synthetic_results.stragglers()
    data.iteration_seconds_simulated[0, 0, 0] = np.nan
    results.save(data, tmp_path / "stragglers.nc")
    with pytest.raises(InputError, match="iteration_seconds_simulated"):
        results.load_stragglers(tmp_path)
