"""What stands beside each figure: its title, how to read it, and the variables that it is drawn from. By subject."""

from rebuttal.site.captions import (
    backup_captions,
    calibration_captions,
    delay_captions,
    layer_wise_captions,
    machine_captions,
    method_captions,
    smoothing_captions,
    timeline_captions,
    training_captions,
)
from rebuttal.site.captions.about import About

SUBJECTS = (
    training_captions,
    backup_captions,
    timeline_captions,
    method_captions,
    smoothing_captions,
    machine_captions,
    layer_wise_captions,
    calibration_captions,
    delay_captions,
)
ABOUT: dict[str, About] = {name: about for subject in SUBJECTS for name, about in subject.CAPTIONS.items()}
