"""A valid parameter file, and the ways to break it: what is changed, and what the refusal must say."""

import json

import yaml

from rebuttal import workloads
from rebuttal.base.errors import refuse
from rebuttal.methods import METHODS
from rebuttal.studies import params
from rebuttal.workloads import shape_table

DROP = "left out"  # in place of a value: the key is not there
BACKUP = "papers/backup-workers/study.yaml: "  # how a refusal calls the file of this study
QUICK = f"{BACKUP}sizes.quick"
METHOD = f"{BACKUP}methods"
NUMBERS = {
    "workloads": ["digits_mlp", "digits_cnn"],
    "machines": ["paper_cluster", "ethernet_10g"],
    "workers": 16,
    "batch": 32,
    "epochs": 40,
    "points": 40,
    "seeds": [0, 1, 2, 3, 4],
    "tuning_seeds": [100, 101],
    "learning_rates": [0.01, 0.1, 1.0],
    "shared_learning_rate": 0.1,
}
GRID = {
    "nodes": [2, 8],
    "batches": [4, 16],
    "workloads": ["digits_mlp"],
    "samples": [1, 8, 64],
    "horizons": [10, 20],
    "worker_counts": [2, 8],
    "seeds": [0, 1, 2, 3, 4],
    "tuning_seeds": [100],
}
SMALL = {**NUMBERS, "workloads": ["digits_mlp"], "workers": 4}


def sizes(every=None, **profiles):
    """A section with sizes: what holds for every profile, and for each."""
    return {
        "all": every or {},
        **{name: profiles.get(name, {}) for name in ("quick", "standard", "full", "ci")},
    }


#: The file params.yaml, and the studies by the folders of their papers.
VALID = {
    "profile": "quick",
    "papers": ["comparison", "backup-workers"],
    "device_costs": "here",
    "data_root": "data",
    "device": "auto",
    "sizes": sizes(SMALL),
    "analyses": sizes(quick=GRID, standard=GRID, full=GRID, ci=GRID),
}
STUDIES = {
    "comparison": {"methods": {"synchronous": {"program": "synchronous"}}, "machines": {}, "sizes": sizes()},
    "backup-workers": {
        "methods": {
            "all_reduce": {"program": "all_reduce"},
            "backup_workers": {"program": "backup_workers", "variants": [{"b": 1}, {"b": 2}]},
            "softsync": {"program": "softsync", "variants": [{"n": 4}], "machines": ["paper_cluster"]},
            "delayed": {
                "program": "delayed",
                "rule": {"name": "momentum", "momentum": 0.5},
                "workloads": ["digits_mlp"],
                "variants": [{"k": 0}, {"k": 5}],
            },
        },
        "machines": {},
        "sizes": sizes(
            quick=NUMBERS,
            full={**NUMBERS, "workloads": ["digits_cnn", "mnist_cnn"], "workers": 50},
            ci={"seeds": [0, 1]},
        ),
    },
}
WHOLE = {"": VALID, **STUDIES}  # "" is params.yaml


def changed(key, value, whole=None):
    """WHOLE with one value replaced, or with the key taken out where `value` is DROP."""
    tree = json.loads(json.dumps(whole or WHOLE))  # no list is shared between sections
    file, _, key = key.rpartition(": ")
    *above, last = key.split(".")
    place = tree[file.split("/")[1] if file else ""]
    for part in above:
        place = place[int(part) if isinstance(place, list) else part]
    if value is DROP:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return tree


def write(folder, tree):
    """Write params.yaml and the studies; the path of params.yaml."""
    for name, content in tree.items():
        path = folder / "papers" / name / "study.yaml" if name else folder / "params.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return folder / "params.yaml"


def check_data(workload, data_root):
    if workload == "mnist_cnn" and not (data_root / "MNIST").is_dir():
        raise refuse("data_root", str(data_root), "a folder that holds MNIST/raw")


CATALOGUE = params.Catalogue(
    METHODS,
    ("digits_mlp", "digits_cnn", "mnist_cnn"),
    ("paper_cluster", "ethernet_10g"),
    check_data,
    workloads.check_own,
    shape_table.shape_of,
)


BROKEN = [
    # key that is changed, value, what the line must hold besides the key
    # misspelt keys and names
    (f"{QUICK}.epoch", 40, ["unknown key", "40", "epochs", "did you mean 'epochs'"]),
    ("profil", "quick", ["unknown key", "did you mean 'profile'"]),
    ("papers.1", "backup-worker", ["'backup-worker'", "did you mean 'backup-workers'"]),
    ("papers.1", "comparison", ["'comparison'", "differ"]),
    ("papers", "comparison", ["'comparison'", "a list of folders"]),
    (f"{BACKUP}size", {}, ["unknown key", "did you mean 'sizes'"]),
    (f"{BACKUP}sizes.quik", {}, ["unknown key", "did you mean 'quick'"]),
    ("sizes.all.worker", 4, ["unknown key", "did you mean 'workers'"]),
    (f"{METHOD}.softsync.variant", [], ["unknown key", "did you mean 'variants'"]),
    (f"{METHOD}.softsync.variants.0.m", 4, ["unknown key", "4", "allowed: n"]),
    (f"{METHOD}.all_reduce.variants", [{"b": 1}], ["0.b: got an unknown key", "no key here"]),
    ("profile", "quik", ["'quik'", "quick, standard, full, ci", "did you mean 'quick'"]),
    ("engine", "loca", ["'loca'", "local (processes", "tcp://host:8786", "did you mean 'local'"]),
    ("engine", "http://host:8786", ["'http://host:8786'", "tcp://host:8786"]),
    ("engine", "tcp://host", ["'tcp://host'", "tcp://host:8786"]),
    ("engine", "tcp://host:99999", ["'tcp://host:99999'", "a Dask scheduler"]),
    ("engine", 8786, ["8786", "a Dask scheduler"]),
    ("device", "gpu", ["'gpu'", "auto, cpu, cuda"]),
    (f"{QUICK}.workloads.0", "digit_mlp", ["'digit_mlp'", "mnist_cnn", "did you mean 'digits_mlp'"]),
    (f"{BACKUP}sizes.full.machines.1", "ethernet", ["'ethernet'", "did you mean 'ethernet_10g'"]),
    (f"{METHOD}.softsync.program", "soft_sync", ["'soft_sync'", "did you mean 'softsync'"]),
    (f"{METHOD}.delayed.workloads.0", "digits_mpl", ["'digits_mpl'", "did you mean 'digits_mlp'"]),
    (f"{METHOD}.Soft-sync", {"program": "softsync"}, ["'Soft-sync'", "small letters"]),
    (f"{METHOD}.delayed.rule.name", "momentun", ["'momentun'", "did you mean 'momentum'"]),
    (f"{METHOD}.delayed.rule.name", DROP, ["None", "sgd, momentum, rmsprop"]),
    (f"{METHOD}.delayed.rule.beta", 1, ["unknown key", "allowed: momentum"]),
    (f"{METHOD}.delayed.rule.momentum", "0.9", ["'0.9'", "a number"]),
    (f"{METHOD}.delayed.rule.momentum", 1.5, ["1.5", "[0, 1)"]),
    (f"{METHOD}.delayed.rule.nesterov", 1, ["1", "true or false"]),
    (f"{METHOD}.delayed.schedule", "linear", ["'linear'", "decay, warm_up and final"]),
    (
        f"{METHOD}.delayed.schedule",
        {"decay": "liner"},
        ["delayed.schedule.decay", "'liner'", "did you mean 'linear'"],
    ),
    (f"{METHOD}.delayed.schedule", {"warm_up": "0.1"}, ["delayed.schedule.warm_up", "'0.1'", "a number"]),
    (f"{METHOD}.delayed.schedule", {"warmup": 0.1}, ["unknown key", "did you mean 'warm_up'"]),
    (f"{METHOD}.delayed.average", 1.0, ["1.0", "a number in [0, 1)"]),
    (f"{BACKUP}schedule", {"final": 2}, ["schedule.final", "2", "a factor of the rate"]),
    (f"{BACKUP}rule", {"name": "adan"}, ["rule.name", "'adan'", "did you mean 'adam'"]),
    (f"{METHOD}.delayed.rule", "momentum", ["'momentum'", "a name with its options"]),
    # missing keys
    ("profile", DROP, ["got nothing", "quick, standard, full, ci"]),
    ("sizes.ci", DROP, ["got nothing", "a section with the keys workloads, machines"]),
    (f"{BACKUP}machines", DROP, ["got nothing", "{} for none"]),
    ("device_costs", DROP, ["got nothing", "a file of reference/devices"]),
    (f"{METHOD}.softsync.program", DROP, ["got nothing", "a name"]),
    # wrong types, none of them converted
    (f"{QUICK}.epochs", "40", ["'40'", "a whole number"]),
    (f"{QUICK}.workers", True, ["True", "a whole number"]),
    (f"{QUICK}.batch", 32.5, ["32.5", "a whole number"]),
    (f"{QUICK}.points", None, ["None", "a whole number"]),
    (f"{QUICK}.workloads", "digits_mlp", ["'digits_mlp'", "a list"]),
    (f"{QUICK}.learning_rates.1", "0.1", ["'0.1'", "a number > 0"]),
    (f"{QUICK}.seeds.2", 2.0, ["2.0", "a whole number"]),
    ("sizes.quick", [1], ["[1]", "a section with the keys workloads, machines"]),
    (f"{METHOD}", {}, ["{}", "at least one method"]),
    (f"{METHOD}.softsync.variants.0", 4, ["4", "options"]),
    (f"{METHOD}.softsync.variants.0.n", "4", ["'4'", "a whole number"]),
    (f"{METHOD}.backup_workers.variants.1.b", True, ["True", "a whole number"]),
    # impossible values
    (f"{METHOD}.backup_workers.variants.0.b", 16, ["16", "15"]),
    (f"{METHOD}.backup_workers.variants.0.b", -1, ["-1", ">= 0"]),
    (f"{METHOD}.softsync.variants.0.n", 17, ["17", "16"]),
    (f"{METHOD}.softsync.variants.0.n", 0, ["0", ">= 1"]),
    (f"{METHOD}.delayed.variants.1.k", -5, ["-5", ">= 0"]),
    (f"{METHOD}.backup_workers.variants.1", {"b": 1}, ["{'b': 1}", "differ"]),
    (f"{METHOD}.softsync.variants", [], ["[]", "a list of options"]),
    (f"{QUICK}.epochs", 0, ["0", ">= 1"]),
    (f"{QUICK}.epochs", -3, ["-3", ">= 1"]),
    (f"{QUICK}.workers", 0, ["0", ">= 1"]),
    (f"{QUICK}.points", 1, ["1", ">= 2"]),
    (f"{QUICK}.seeds.3", 0, ["0", "differ"]),
    (f"{QUICK}.seeds.3", -1, ["-1", "from 0"]),
    (f"{QUICK}.seeds", [0, 1, 2], ["[0, 1, 2]", "at least 5"]),
    (f"{QUICK}.seeds", [], ["[]", "at least one seed"]),
    (f"{QUICK}.tuning_seeds.1", 4, ["4", "not among", "[0, 1, 2, 3, 4]"]),
    (f"{QUICK}.learning_rates.0", 0.0, ["0.0", "> 0"]),
    (f"{QUICK}.learning_rates.0", -0.1, ["-0.1", "> 0"]),
    (f"{QUICK}.learning_rates.0", float("nan"), ["nan", "> 0"]),
    (f"{QUICK}.learning_rates.2", 0.05, ["0.05", "ascend"]),
    (f"{QUICK}.learning_rates.2", 0.1, ["0.1", "ascend"]),
    (f"{QUICK}.shared_learning_rate", 0.2, ["0.2", "[0.01, 0.1, 1.0]"]),
    (f"{QUICK}.workloads.1", "digits_mlp", ["'digits_mlp'", "differ"]),
    (f"{QUICK}.machines", [], ["[]", "at least one name"]),
    # the analyses
    ("analyses.quick.node", [2], ["unknown key", "did you mean 'nodes'"]),
    (
        "analyses.quick",
        DROP,
        ["got nothing", "a section with the keys nodes, batches, workloads, samples, horizons"],
    ),
    ("analyses.quick.seeds", [0, 1], ["[0, 1]", "at least 5"]),
    ("analyses.quick.tuning_seeds.0", 4, ["4", "not among"]),
    ("analyses.quick.nodes", DROP, ["got nothing", "at least one whole number >= 1"]),
    ("analyses.quick.nodes", [], ["[]", "at least one whole number >= 1"]),
    ("analyses.full.nodes.1", 2, ["2", "> 2", "ascend"]),
    ("analyses.quick.batches.0", 0, ["0", "a whole number >= 1"]),
    (f"{QUICK}.workers_on", {"digits_mpl": 4}, ["digits_mpl", "did you mean 'digits_mlp'"]),
    (f"{QUICK}.epochs_on", 5, ["5", "by workload"]),
    ("analyses.quick.horizons.1", 10, ["10", "a number > 10"]),
    ("analyses.ci.samples.1", 8.0, ["8.0", "a whole number >= 1"]),
    ("analyses.quick.workloads.0", "digits_mpl", ["'digits_mpl'", "did you mean 'digits_mlp'"]),
    (f"{QUICK}.workloads.0", "digits_mlp@byclass", ["'byclass'", "did you mean 'by_class'"]),
    (f"{QUICK}.workloads.0", "digits_mlp@dirichlet=0", ["'0'", "a number > 0"]),
    (f"{QUICK}.workloads.0", "digit_mlp@by_class", ["'digit_mlp'", "did you mean 'digits_mlp'"]),
    (f"{METHOD}.softsync.variants.0.workers", 2.5, ["2.5", "a whole number"]),
    (f"{METHOD}.softsync.variants.0.workers", 0, ["0", "a whole number >= 1"]),
    (f"{METHOD}.delayed.workloads", ["mnist_cnn"], ["mnist_cnn", "digits_mlp, digits_cnn"]),
]

TEXTS = [
    ("", "params.yaml: got an empty file; allowed: "),
    ("# only a comment\n", "params.yaml: got an empty file; allowed: "),
    ("- quick\n", "params.yaml: got ['quick']; allowed: sections"),
    ("profile: quick\n  device: auto\n", "params.yaml, line 2: got a syntax error"),
    ("profile: [quick\n", "params.yaml, line 2: got a syntax error"),
    (
        "profile: quick\nsizes:\n  quick:\n    epochs: 1\n    epochs: 2\n",
        "line 5: sizes.quick.epochs: got this key twice",
    ),
    ("profile: quick\n1: 2\n", "params.yaml, line 2: key in the file: got '1'; allowed: names as keys"),
    ("profile: !!python/name:os.system x\n", "params.yaml, line 1: got a syntax error"),
    ("a: 1\n---\nb: 2\n", "params.yaml, line 2: got a syntax error"),
    ("profile: \x00\n", "params.yaml: got unacceptable character"),
]
