"""The mark of each cause in a plot: its shape says what kind of repair it waits for, its colour which one it is.

Four colours near Okabe and Ito's, told apart by colour-blind readers, in three shapes: no two causes look alike, on
paper, on white and on dark.
"""

from __future__ import annotations

COLOURS = (  # on a light ground, on a dark one
    ("#1f5fd0", "#4d8dff"),
    ("#d55e00", "#ff7a1a"),
    ("#009e73", "#2fd3a0"),
    ("#b5569a", "#d67fc0"),
)
BLUE, ORANGE, GREEN, PINK = range(4)
SQUARE, TRIANGLE, CIRCLE = "square", "triangle", "circle"
MARKS: dict[str, tuple[str, int]] = {
    "retrieval fixes": (SQUARE, BLUE),  # squares: passages
    "prompted retrieval": (SQUARE, GREEN),
    "retrieval bound": (SQUARE, ORANGE),
    "retrieval untested": (SQUARE, PINK),
    "behaviour": (TRIANGLE, BLUE),  # triangles: training
    "reading": (TRIANGLE, PINK),
    "prompt": (CIRCLE, BLUE),  # circles: neither
    "suspect evidence": (CIRCLE, ORANGE),
    "unresolved": (CIRCLE, GREEN),
    "solved": (CIRCLE, PINK),
}
LEGEND = "Squares wait for passages, triangles for training, circles for neither."


def colour(cause: str) -> str:
    """The class of the cause's colour, for a style sheet that has `style`."""
    return f"c{MARKS[cause][1]}"


def outline(cause: str, x: float, y: float, r: float) -> str:
    """The `d` of an SVG path around (x, y); r in pixels, shapes of about the same area."""
    shape = MARKS[cause][0]
    if shape == CIRCLE:
        return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"
    if shape == SQUARE:
        half = 0.89 * r
        return f"M{x - half:.1f} {y - half:.1f}h{2 * half:.1f}v{2 * half:.1f}h{-2 * half:.1f}z"
    return f"M{x:.1f} {y - 1.3 * r:.1f}l{1.25 * r:.1f} {2.15 * r:.1f}h{-2.5 * r:.1f}z"


def style(dark: int = 0, scope: str = "") -> str:
    """CSS that gives --c to the classes of the colours; dark 1 for a dark ground."""
    return " ".join(f"{scope}.c{place} {{ --c: {pair[dark]}; }}" for place, pair in enumerate(COLOURS))
