"""Labels and numbers as a reader says them."""

import math


def words(label: str) -> str:
    """A label as a reader says it: 'backup_workers b=2' -> 'backup workers, b = 2'; a phrase stays one."""
    name, *options = label.split()
    if not all("=" in option for option in options):
        return label.replace("_", " ")
    return ", ".join(
        [name.replace("_", " "), *(option.replace("=", " = ").removesuffix(".0") for option in options)]
    )


def number(value: object) -> str:
    """A number for a reader: four significant digits, a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if isinstance(value, int):
        return f"{value}"
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return (
        f"{value:.4g}".replace("-", "−")
        if 1e-3 <= abs(value) < 1e5 or value == 0
        else f"{value:.2e}".replace("-", "−")
    )
