"""The table of commands, in the order of the help: name, what runs, one line of help, what it takes.

What a command takes are pairs of an argument and its meaning, or a function that gives its parser arguments.
"""

from rebuttal.certificates.arguments import of_certify
from rebuttal.cli import certificates, pages, processes, serving, stages
from rebuttal.processes.arguments import of_run, of_verify

METHOD = ("method", "a method of the study: a key of its `methods` in params/STUDY.yaml")
NAME = ("name", "a study: a section of the parameters with methods")
PAPER = ("paper", "a folder of papers/")
RUN = ("run", "a command and its arguments, such as dvc repro")
COMMANDS = (
    ("check", stages.check, "check the parameters, the papers' files and the data, and start nothing", ()),
    ("profile", stages.PROFILE, "measure this device: costs of each layer, and the fastest executors", ()),
    ("simulate", stages.simulate, "run the virtual clock for every run of a method", (METHOD,)),
    ("tune", stages.tune, "find the learning rate of each variant of a method", (METHOD,)),
    ("train", stages.train, "execute notebooks/train.ipynb for a method", (METHOD,)),
    ("study", stages.study, "simulate, tune and train every method of a study at once", (NAME,)),
    ("stragglers", stages.stragglers, "order statistics of every straggler model", ()),
    ("throughput", stages.THROUGHPUT, "time workloads on this device over few and over many samples", ()),
    ("analyses", stages.ANALYSES, "what needs no training: full-size models on every machine", ()),
    ("memory", stages.MEMORY, "memory of every method on full-size models, from their time lines", ()),
    ("rates", stages.RATES, "rates of convergence beside their bounds, and the map of where smoothing pays", ()),
    ("adversarial", stages.ADVERSARIAL,
     "adversarial perturbations of a trained network, with and without smoothing", ()),
    ("worker_counts", stages.WORKER_COUNTS,
     "synchronous with a backup beside asynchronous, on few and more workers", ()),
    ("recorded", stages.RECORDED, "pipelines on real processes of this host, recorded and verified", ()),
    ("equivalence", stages.EQUIVALENCE, "weights of layer-wise and delayed forms beside those of mini-batch SGD", ()),
    ("delays", stages.DELAYS, "small problems whose gradients are late, in discrete and in continuous time", ()),
    ("reviews", pages.reviews, "make every page that a notebook makes and whose inputs have changed, side by side", ()),
    ("machines", pages.machines, "execute notebooks/machines.ipynb and render its page", ()),
    ("calibrate", stages.calibrate,
     "measure real processes of this host, and the virtual clock against them", stages.of_calibrate),
    ("calibration", pages.calibration, "execute notebooks/calibrate.ipynb and render its page", ()),
    ("review", pages.review, "execute a paper's review notebook and render its page", (PAPER,)),
    ("compare", pages.compare, "execute the notebook that compares a study's methods and render its page", (NAME,)),
    ("measured", pages.measured, "write the page on how everything was measured, and what was not", ()),
    ("site", pages.site, "assemble the site in reports/", ()),
    ("run", processes.run, "run a method on real processes of this host, and record it", of_run),
    ("verify", processes.verify, "compute a recorded run again, and compare the weights to the bit", of_verify),
    ("certify", certificates.certify,
     "hold the results against committed reference results, and write a certificate", of_certify),
    ("pages", serving.pages,
     "dvc repro after a change to charts, papers or docs: what pages need is loaded, and no torch", ()),
    ("warm", serving.warm, "run a command whose stages share one start-up: warm dvc repro", (RUN,)),
)  # fmt: skip
