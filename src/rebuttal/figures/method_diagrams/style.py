"""How the pictures look. The paper is always light, so that they read the same on a light and on a dark page."""

WIDTH, LEFT, RIGHT, TOP = 860, 110, 18, 62
ROW, PITCH, RIBBON, GAP = 26, 44, 24, 20
INK, SOFT, TRACK, PAPER, EDGE, COLLECTIVE = "#1f2933", "#56616d", "#eceff3", "#fbfcfd", "#d5dae0", "#8a95a1"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'Liberation Sans', sans-serif"

# One colour per version, again and again; the version's number is always written too.
FILLS = ("#8fc7f2", "#f6c667", "#a2d9a5", "#e6a9d4", "#c6bcf2", "#f3a68f")
LINES = ("#2f7fb8", "#a9720a", "#3d8a44", "#a9488f", "#6554c0", "#c2502f")
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def fill(version: int) -> str:
    """The colour of a version's areas."""
    return FILLS[version % len(FILLS)]


def stroke(version: int) -> str:
    """The colour of a version's lines."""
    return LINES[version % len(LINES)]


def weights(version: int) -> str:
    """The weights' name, such as w₃."""
    return "w" + str(version).translate(SUBSCRIPT)


def hatching(version: int) -> str:
    """The name of the stripes in a version's colour."""
    return f"h{version % len(FILLS)}"
