"""Relevance and field through time, frame by frame, as GIF or MP4."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from climxai.core.errors import OutputError
from climxai.core.files import written_aside
from climxai.plots.layers import contour_field, draw_land, grid_lines, shade
from climxai.plots.maps import framed
from climxai.plots.pages import SIDE, colour_bar, heading, note
from climxai.plots.style import FAINT, INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

DPI: Final = 100
"""Dots per inch of a frame: films are looked at on screens."""
MARKER: Final = "#d55e00"
# Inches.
HEAD: Final = 0.92
BELOW: Final = 0.66
STRIP: Final = 0.50
FOOT: Final = 0.62
TALLEST: Final = 4.6

Box = tuple[float, float, float, float]
Pixels = npt.NDArray[np.uint8]
Format = Literal["gif", "mp4"]


@dataclass(frozen=True)
class Series:
    """A series along time that runs below the map."""

    years: npt.NDArray[np.float64]
    """decimal years, ascending"""
    values: npt.NDArray[np.float64]
    label: str


@dataclass(frozen=True)
class Moment:
    """What one frame shows."""

    relevance: xr.DataArray
    """(lat, lon)"""
    field: xr.DataArray | None
    date: str
    words: str
    """what the network said of it"""
    year: float
    """decimal"""


class Film:
    """A page whose map changes: made once, asked for one frame after the other."""

    def __init__(
        self,
        like: xr.DataArray,
        settings: Maps,
        *,
        signed: bool,
        limit: float,
        title: str,
        label: str,
        series: Series | None = None,
    ) -> None:
        self.settings, self.signed, self.limit = settings, signed, limit
        settings.check()
        with our_style():
            self._open(like, title, label, series)

    def _open(self, like: xr.DataArray, title: str, label: str, series: Series | None) -> None:
        self.figure = new_figure(4.0, DPI)
        self.frame = framed(self.figure, like, self.settings)
        left = 0.42
        width = min(WIDTH - left - 0.3, TALLEST / self.frame.shape)
        high = width * self.frame.shape
        foot = FOOT + (STRIP + 0.34 if series is not None else 0.0)
        # Films of MPEG have even numbers of pixels.
        total = float(np.ceil((HEAD + high + BELOW + foot) * DPI / 2) * 2 / DPI)
        self.figure.set_size_inches(WIDTH, total)
        box = ((WIDTH - width + left - 0.3) / 2, foot + BELOW, width, high)
        self.frame.axes.set_position(_share(box, total))
        heading(self.figure, title, "")
        self.date = self.figure.text(
            SIDE / WIDTH, 1 - 0.36 / total, "", size=15, weight="bold", va="top", color=INK
        )
        self.words = self.figure.text(
            1 - SIDE / WIDTH, 1 - 0.45 / total, "", size=8.5, va="top", ha="right", color=FAINT
        )
        axes, centre = self.frame.axes, self.frame.centre
        only = self.frame.view if self.frame.partial else None
        draw_land(axes, like, centre, self.settings, only)
        grid_lines(axes, centre, self.settings, whole_globe=self.frame.view is None)
        self._contours = note(self.figure, "")
        self._changing: list[Any] = []
        shading, _ = self._shade(like)
        bar = (0.19 * WIDTH, foot + 0.22, 0.62 * WIDTH, 0.10)
        colour_bar(self.figure, (shading, "both" if self.signed else "max"), bar, label)
        self.marker = None if series is None else self._strip(series, total)

    def palette(self) -> Pixels:
        """Return 256 colours [colour, 3] that serve every frame, as a GIF needs them."""
        from matplotlib.colors import to_rgb

        from climxai.plots.colours import colour_map

        shades = colour_map(self.signed, self.settings.colours)(np.linspace(0, 1, 168))[:, :3]
        # Shading under grid lines and coasts, which are thin: a fifth darker.
        darker = 0.82 * shades[::6]
        greys = np.linspace(0, 1, 48)[:, None] * np.ones(3)
        land = np.array(to_rgb(self.settings.land_colour))
        own = [land, 1 - 0.5 * (1 - land), 0.9 * land, to_rgb(MARKER)]
        found = np.round(255 * np.concatenate([own, shades, greys, darker])).astype(np.uint8)
        filled = np.zeros((256, 3), dtype=np.uint8)
        filled[: len(found)] = found
        return filled

    def _shade(self, relevance: xr.DataArray) -> tuple[Any, str]:
        shown = self.frame.shown(relevance) if self.frame.partial else True
        return shade(
            self.frame.axes, relevance.where(shown), self.frame.centre, self.limit, self.signed,
            self.settings,
        )  # fmt: skip

    def _strip(self, series: Series, total: float) -> Any:
        axes: Any = self.figure.add_axes(_share((0.62, FOOT - 0.14, WIDTH - 0.92, STRIP), total))
        axes.axhline(0, color=FAINT, linewidth=0.5)
        step = float(np.median(np.diff(series.years))) if len(series.years) > 1 else 1.0
        # No line across the months that belong to no class.
        gaps = np.flatnonzero(np.diff(series.years) > 1.5 * step) + 1
        years = np.insert(series.years, gaps, np.nan)
        axes.plot(years, np.insert(series.values, gaps, np.nan), color=INK, linewidth=0.7)
        axes.plot(series.years, series.values, ".", color=INK, markersize=1.4)
        axes.set_ylabel(series.label, size=7, labelpad=2)
        axes.set_xlim(series.years[0] - step, series.years[-1] + step)
        axes.xaxis.get_major_formatter().set_useOffset(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(length=2, labelsize=6.5, pad=1.5)
        (marker,) = axes.plot([], [], "o", color=MARKER, markersize=5, clip_on=False, zorder=5)
        marker.series = series
        return marker

    def draw(self, moment: Moment) -> Pixels:
        """Return one frame as pixels [row, column, 3]."""
        axes = self.frame.axes
        with our_style():
            for artist in self._changing:
                artist.remove()
            before = set(axes.get_children())
            self._shade(moment.relevance)
            text = ""
            if moment.field is not None and self.settings.field_contours:
                shown = self.frame.shown(moment.field)
                text = contour_field(
                    axes, moment.field, moment.field.values[shown], self.frame.centre,
                    self.settings,
                )  # fmt: skip
            self._changing = [each for each in axes.get_children() if each not in before]
            self.date.set_text(moment.date)
            self.words.set_text(moment.words)
            self._contours.set_text(text)
            if self.marker is not None:
                series = self.marker.series
                at = int(np.argmin(np.abs(series.years - moment.year)))
                self.marker.set_data([series.years[at]], [series.values[at]])
            self.figure.canvas.draw()
            rgba = np.asarray(_canvas(self.figure).buffer_rgba())
        return rgba[..., :3].copy()


def _share(box: Box, total: float) -> Box:
    left, low, wide, high = box
    return (left / WIDTH, low / total, wide / WIDTH, high / total)


def _canvas(figure: Figure) -> Any:
    return figure.canvas


def write_film(
    frames: Iterable[Pixels],
    path: Path,
    *,
    per_second: float,
    tick: Callable[[], object],
    palette: Pixels | None = None,
) -> None:
    """Write frames, made one after the other, as a film that appears whole or not at all.

    Parameters
    ----------
    frames
        Pixels [row, column, 3], all of one size.
    path
        Ends in .gif (by Pillow, endlessly repeated) or .mp4 (by the program ffmpeg).
    per_second
        Frames per second.
    tick
        Called after each frame.
    palette
        [colour, 3], at most 256: the colours of a GIF. None: those of the first frame.

    Raises
    ------
    OutputError
        When there is no frame, ffmpeg is missing or fails, or the file cannot be written.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise OutputError(f"cannot write {path}: the film has no frame")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise OutputError(
            f"cannot write {path}: MP4 needs the program ffmpeg, which is not on the path: install "
            "it, or ask for a GIF"
        )

    def every() -> Iterator[Pixels]:
        yield first
        tick()
        for each in iterator:
            yield each
            tick()

    with written_aside(path) as aside:
        if path.suffix == ".gif":
            _gif(every(), aside, per_second, palette)
        else:
            _mp4(every(), aside, per_second)


def _gif(frames: Iterator[Pixels], path: Path, per_second: float, palette: Pixels | None) -> None:
    from PIL import Image

    first = next(frames)
    # One palette for all frames, so that nothing flickers.
    if palette is None:
        adapted = Image.fromarray(first).quantize(256, dither=Image.Dither.NONE).getpalette() or []
        palette = np.array(adapted, dtype=np.uint8).reshape(-1, 3)
    colours = palette

    def reduced(pixels: Pixels) -> Any:
        frame = Image.fromarray(nearest(pixels, colours))
        frame.putpalette(colours.ravel().tolist())
        return frame

    # Opened here: when the frames fail, Pillow would leave the file open.
    with path.open("w+b") as file:
        reduced(first).save(
            file,
            format="GIF",
            save_all=True,
            append_images=(reduced(each) for each in frames),
            duration=round(1000 / per_second),
            loop=0,
            optimize=False,
        )


def nearest(pixels: Pixels, palette: Pixels) -> Pixels:
    """Return the number of the nearest colour of a palette per pixel [row, column].

    Pillow's own search puts colours into boxes of eight steps: white would not stay white.
    """
    red, green, blue = (pixels[..., k].astype(np.int32) for k in range(3))
    code, place = np.unique((red << 16 | green << 8 | blue).ravel(), return_inverse=True)
    found = np.stack([code >> 16, code >> 8 & 255, code & 255], axis=1)
    numbers = np.empty(len(code), dtype=np.uint8)
    for begin in range(0, len(code), 4096):
        part = found[begin : begin + 4096, None, :] - palette[None].astype(np.int32)
        numbers[begin : begin + 4096] = (part**2).sum(axis=2).argmin(axis=1)
    return np.asarray(numbers[place].reshape(pixels.shape[:2]))


def _mp4(frames: Iterator[Pixels], path: Path, per_second: float) -> None:
    first = next(frames)
    high, wide = first.shape[0] // 2 * 2, first.shape[1] // 2 * 2
    command = [
        "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{wide}x{high}", "-r", f"{per_second:g}", "-i", "-", "-an", "-pix_fmt", "yuv420p",
        "-movflags", "+faststart", str(path),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    told = b""
    try:
        _send(process, first, high, wide)
        for pixels in frames:
            _send(process, pixels, high, wide)
    except BrokenPipeError:
        told = b"it ended early: "
    finally:
        _, errors = process.communicate()
    if process.returncode:
        said = (told + (errors or b"")).decode(errors="replace").strip()
        raise OutputError(f"ffmpeg could not write {path.name}: {said}")


def _send(process: subprocess.Popen[bytes], pixels: Pixels, high: int, wide: int) -> None:
    if process.stdin is not None:
        process.stdin.write(np.ascontiguousarray(pixels[:high, :wide]).tobytes())
