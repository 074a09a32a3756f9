"""Figures of the virtual clock against the real one."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "calibration_error": About(
        "Error of the predicted seconds per update",
        "A dot at zero is a prediction that came true; left of it the virtual clock is too quick, right of it too "
        "slow. Each repetition measures the costs of this host anew, predicts every run from them and then makes it. "
        "A wide interval says that the host was not the same from one repetition to the next.",
        {"calibration": ("predicted_s", "measured_s")},
        across=2,
    ),
    "calibration_scatter": About(
        "Predicted against measured seconds per update",
        "On the dashed line both are equal. Every point is a method; where points lie above one another, the clock "
        "takes methods for different that are not.",
        {"calibration": ("predicted_s", "measured_s")},
    ),
    "calibration_shipped": About(
        "What PyTorch ships, beside ours",
        "Further left is quicker. Both train the same model on batches of the same size, on as many processes with one "
        "thread each. Ours notes everything that it does, for a replay to the bit; PyTorch's does not.",
        {"calibration": ("measured_s",)},
        across=2,
    ),
}  # fmt: skip
#: In the order of their page.
ON_CALIBRATION = tuple(CAPTIONS)
