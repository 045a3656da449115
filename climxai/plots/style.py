"""One look for all figures, kept apart from the user's matplotlib settings; and saving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.core.errors import OutputError
from climxai.core.files import written_aside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 7.2
"""Inches; two columns of a journal, 183 mm."""
INK: Final = "#1a1a1a"
FAINT: Final = "#6e6e6e"

STYLE: Final[dict[str, Any]] = {
    # DejaVu comes with matplotlib: the same letters on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "hatch.linewidth": 0.35,
    "pdf.fonttype": 42,
    "svg.hashsalt": "climxai",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}

# No dates and no versions in the files: the same picture gives the same bytes.
METADATA: Final[dict[str, dict[str, None]]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}


@contextmanager
def our_style() -> Iterator[None]:
    """Draw with matplotlib's defaults and our style, whatever the user's settings; then restore."""
    import matplotlib.style

    with matplotlib.style.context(["default", STYLE]):
        yield


def new_figure(height: float, dpi: int) -> Figure:
    """Return an empty figure, two columns wide and ``height`` inches high; no screen is used."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, paths: Iterable[Path]) -> tuple[Path, ...]:
    """Save a figure under each path, the format taken from its suffix; return the paths.

    Each file appears whole or not at all and holds no date: the same figure gives the same bytes.

    Raises
    ------
    OutputError
        When a suffix is not .png, .pdf or .svg, or a file cannot be written.
    """
    saved = tuple(Path(path) for path in paths)
    for path in saved:
        if path.suffix not in METADATA:
            raise OutputError(
                f"cannot write {path}: a figure ends in {', '.join(METADATA)}, "
                f"found {path.suffix or 'no suffix'}"
            )
    with our_style():
        for path in saved:
            with written_aside(path) as aside:
                figure.savefig(aside, dpi="figure", metadata=METADATA[path.suffix])
    return saved
