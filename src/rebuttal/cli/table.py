"""The table of commands, in the order of the help: name, what runs, one line of help, what its parser takes."""

from rebuttal.certificates.arguments import of_certify
from rebuttal.cli import arguments, certificates, pages, processes, projects, serving, stages
from rebuttal.processes.arguments import of_run, of_verify

COMMANDS = (
    ("check", stages.check, "check the parameters, the papers' files and the data, and start nothing", arguments.none),
    ("new-paper", projects.new_paper, "write the folder of a new paper, with comments on what goes where",
     arguments.new_paper),
    ("profile", stages.profile, "measure what each layer costs on this device, for `device_costs: here`",
     arguments.profile),
    ("study", stages.study, "execute notebooks/train.ipynb for a paper: clock, tuning and training of every method",
     arguments.study),
    ("analyses", stages.ANALYSES, "what needs no training: full-size models, order statistics, delays, rates",
     arguments.stage),
    ("worker_counts", stages.WORKER_COUNTS, "synchronous with a backup beside asynchronous, on few and more workers",
     arguments.stage),
    ("real_runs", stages.real_runs, "real processes of this host: recorded runs, and the virtual clock against them",
     arguments.real_runs),
    ("pages", pages.pages, "make the pages whose inputs have changed, and the site around them", arguments.pages),
    ("dvc", serving.dvc, "dvc under a profile of choice: rebuttal dvc --profile ci repro", arguments.dvc),
    ("release", projects.release, "publish a profile's site in reports/, with its results in reference/ and the README",
     arguments.stage),
    ("run", processes.run, "run a method on real processes of this host, and record it", of_run),
    ("verify", processes.verify, "compute a recorded run again, and compare the weights to the bit", of_verify),
    ("certify", certificates.certify,
     "hold the results against committed reference results, and write a certificate", of_certify),
    ("warm", serving.warm, "run a command whose stages share one start-up: warm dvc repro", arguments.warm),
)  # fmt: skip
