"""What stands beside each figure: its title, how to read it, and the variables that it is drawn from. By subject."""

from rebuttal.report.captions import (
    backups,
    calibration,
    delays,
    layer_wise,
    machines,
    methods,
    smoothing,
    timelines,
    training,
)
from rebuttal.report.captions.about import About

SUBJECTS = (training, backups, timelines, methods, smoothing, machines, layer_wise, calibration, delays)
ABOUT: dict[str, About] = {name: about for subject in SUBJECTS for name, about in subject.CAPTIONS.items()}
