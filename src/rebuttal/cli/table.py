"""The table of commands, in the order of the help: name, what runs, one line of help, what its parser takes."""

from rebuttal.cli import command_arguments, commands, serving
from rebuttal.processes.run_arguments import of_run, of_verify

COMMANDS = (
    ("check", commands.check, "check the parameters, the papers' files and the data, and start nothing",
     command_arguments.stage),
    ("new-paper", commands.new_paper, "write the folder of a new paper, with comments on what goes where",
     command_arguments.new_paper),
    ("profile", commands.profile, "measure what each layer costs on this device, for `device_costs: here`",
     command_arguments.profile),
    ("study", commands.study,
     "execute notebooks/train.ipynb for a paper: clock, tuning and training of every method",
     command_arguments.study),
    ("analyses", commands.analyses, "what needs no training: full-size models, order statistics, delays, rates",
     command_arguments.analyses),
    ("worker_counts", commands.worker_counts,
     "synchronous with a backup beside asynchronous, on few and more workers",
     command_arguments.stage),
    ("real_runs", commands.real_runs,
     "real processes of this host: recorded runs, and the virtual clock against them",
     command_arguments.real_runs),
    ("pages", commands.pages, "make the pages whose inputs have changed, and the site around them",
     command_arguments.pages),
    ("dvc", serving.dvc, "dvc under a profile of choice: rebuttal dvc --profile ci repro", command_arguments.dvc),
    ("release", commands.release, "publish a profile's site in reports/, with its results in reference/ and the README",
     command_arguments.stage),
    ("run", commands.run, "run a method on real processes of this host, and record it", of_run),
    ("verify", commands.verify, "compute a recorded run again, and compare the weights to the bit", of_verify),
    ("certify", commands.certify,
     "hold the results against committed reference results, and write a certificate",
     command_arguments.certify),
    ("warm", serving.warm, "run a command whose stages share one start-up: warm dvc repro", command_arguments.warm),
)  # fmt: skip
