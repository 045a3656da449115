"""Small maps of single samples: land, meridians and colour bar are drawn once, and laid over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.plots.layers import contour_field, draw_land, grid_lines, shade
from climxai.plots.maps import Frame, framed
from climxai.plots.style import FAINT, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

DPI: Final = 96
# Inches.
WIDE: Final = 7.2
SIDE: Final = 0.42
TOP: Final = 0.06
BELOW: Final = 0.92
BAR_AT: Final = 0.55
TALLEST: Final = 4.4


class Frames:
    """One map whose shading and contours change from sample to sample.

    Parameters
    ----------
    like
        (lat, lon), one map: its grid frames all of them.
    settings
        Projection, region, colours; with a contour interval, if one is to serve all maps.
    signed
        Whether relevance of both signs is expected.
    limit
        Relevance at the end of the colour bar, of all maps.
    label
        Text of the colour bar.
    """

    def __init__(
        self, like: xr.DataArray, settings: Maps, *, signed: bool, limit: float, label: str
    ) -> None:
        self._settings, self._signed, self._limit = settings, signed, limit
        self._changing: list[Any] = []
        with our_style():
            self._figure, self._frame = self._page(like)
            total = self._figure.get_size_inches()[1]
            self._note = self._figure.text(
                0.5, 0.05 / total, "", size=7, color=FAINT, va="bottom", ha="center"
            )
            self._over = self._overlay(like, label)

    def _page(self, like: xr.DataArray) -> tuple[Figure, Frame]:
        figure = new_figure(4.0, DPI)
        frame = framed(figure, like, self._settings)
        wide = min(WIDE - 2 * SIDE, TALLEST / frame.shape)
        high = wide * frame.shape
        total = TOP + high + BELOW
        figure.set_size_inches(WIDE, total)
        left = (WIDE - wide) / 2
        frame.axes.set_position((left / WIDE, BELOW / total, wide / WIDE, high / total))
        return figure, frame

    def _overlay(self, like: xr.DataArray, label: str) -> Any:
        """Return what lies on every map, see-through elsewhere."""
        figure, frame = self._page(like)
        axes = frame.axes
        draw_land(axes, like, frame.centre, self._settings, frame.view if frame.partial else None)
        grid_lines(axes, frame.centre, self._settings, whole_globe=frame.view is None)
        before = set(axes.get_children())
        mappable, _ = self._shade(frame, like)
        for artist in [each for each in axes.get_children() if each not in before]:
            artist.remove()
        total = figure.get_size_inches()[1]
        length = 0.62 * WIDE
        bar_axes = figure.add_axes(
            ((WIDE - length) / 2 / WIDE, BAR_AT / total, length / WIDE, 0.10 / total)
        )
        bar: Any = figure.colorbar(
            mappable,
            cax=bar_axes,
            orientation="horizontal",
            extend="both" if self._signed else "max",
        )
        bar.outline.set_linewidth(0.5)
        bar.ax.tick_params(length=2.5, pad=2)
        bar.set_label(label, size=8, labelpad=2)
        # What has no data shows from below.
        self._frame.axes.set_facecolor(axes.get_facecolor())
        axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        return _drawn(figure)

    def _shade(self, frame: Frame, relevance: xr.DataArray) -> tuple[Any, str]:
        kept = relevance.where(frame.shown(relevance)) if frame.partial else relevance
        return shade(frame.axes, kept, frame.centre, self._limit, self._signed, self._settings)

    def paint(self, relevance: xr.DataArray, field: xr.DataArray | None) -> npt.NDArray[np.uint8]:
        """Return the picture of one sample, pixels [row, column, 3]; both maps are (lat, lon)."""
        from PIL import Image

        axes = self._frame.axes
        with our_style():
            for artist in self._changing:
                artist.remove()
            before = set(axes.get_children())
            self._shade(self._frame, relevance)
            text = ""
            if field is not None and self._settings.field_contours:
                shown = field.values[self._frame.shown(field)]
                text = contour_field(axes, field, shown, self._frame.centre, self._settings)
            self._changing = [each for each in axes.get_children() if each not in before]
            self._note.set_text(text)
            whole = Image.alpha_composite(_drawn(self._figure), self._over)
        return np.asarray(whole.convert("RGB"))


def _drawn(figure: Figure) -> Any:
    from PIL import Image

    canvas: Any = figure.canvas
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba()).copy())
