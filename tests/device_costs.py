"""Made-up costs of workloads, in the file that a project without params.yaml reads: seconds that nobody measured."""

import json
from pathlib import Path

from rebuttal import workloads
from rebuttal.workloads.layer_costs import SCHEMA, SIZES

FIXED_S, SAMPLE_S = 1e-4, 1e-5  # of each layer's forward pass
LOOP = {1: {"loop": {1: 1e-3}}}  # executors: nothing but the reference
QUIET = {"supports_timing": True, "why_not": []}


def write(project, names, *, data_root=None, executors=None, name="here", **device):
    """Write reference/devices/NAME.json of a project; its path. executors: of every workload (default: LOOP)."""
    return write_file(
        Path(project) / "reference" / "devices" / f"{name}.json",
        names,
        data_root=data_root,
        executors=executors,
        name=name,
        **device,
    )


def write_file(path, names, *, data_root=None, executors=None, name="here", **device):
    """The same, into any file."""
    content = {
        "schema": SCHEMA,
        "name": name,
        "date": "2026-01-31",
        "device": {"kind": "cpu", "name": "synthetic device", "timing": QUIET} | device,
        "versions": {"torch": "0.0"},
        "repeats": 25,
        "workloads": {each: entry(workloads.load(each, data_root)) for each in names},
        "executors": dict.fromkeys(names, LOOP if executors is None else executors),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def entry(workload):
    """One workload's part of the file: each layer takes as long as any other, twice as long backward."""
    target, shape = workload.target, workload.shape
    return {
        "metric": target.metric,
        "lower_is_better": target.lower_is_better,
        "large_error": target.large_error,
        "parameters": workload.parameters,
        "training_size": workload.training_size,
        "weight_bytes": 4 * workload.parameters,
        "layers": [
            {"name": layer.name, "kind": layer.kind, "parameters": parameters, "outputs": outputs}
            for layer, parameters, outputs in zip(
                workload.layers, shape.parameters, shape.outputs, strict=True
            )
        ],
        "batches": {size: batch(size, len(workload.layers)) for size in SIZES},
        "update_s": took(1e-5),
    }


def batch(size, layers):
    """Seconds of a number of samples."""
    seconds = FIXED_S + size * SAMPLE_S
    each = {"forward_s": took(seconds), "backward_s": took(2 * seconds)}
    return {"layers": [each] * layers, "gradient_s": took(3 * layers * seconds)}


def took(seconds):
    """As if it had been measured often."""
    return {"median": seconds, "q25": 0.9 * seconds, "q75": 1.1 * seconds, "repeats": 25}
