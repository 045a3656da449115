"""Map projections by name, and where a map's middle and edges lie."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ConfigError

if TYPE_CHECKING:
    import cartopy.crs

PROJECTIONS: Final = (
    "aitoff",
    "albers_equal_area",
    "azimuthal_equidistant",
    "eckert_i",
    "eckert_ii",
    "eckert_iii",
    "eckert_iv",
    "eckert_v",
    "eckert_vi",
    "equal_earth",
    "equidistant_conic",
    "geostationary",
    "gnomonic",
    "hammer",
    "interrupted_goode_homolosine",
    "lambert_azimuthal_equal_area",
    "lambert_conformal",
    "lambert_cylindrical",
    "mercator",
    "miller",
    "mollweide",
    "nearside_perspective",
    "north_polar_stereo",
    "oblique_mercator",
    "orthographic",
    "plate_carree",
    "robinson",
    "sinusoidal",
    "south_polar_stereo",
    "stereographic",
    "transverse_mercator",
)
"""Cartopy's projections that have a central longitude, listed here so that a configuration can be
read without loading cartopy."""

BETWEEN_MERIDIANS: Final = (
    "aitoff",
    "eckert_i",
    "eckert_ii",
    "eckert_iii",
    "eckert_iv",
    "eckert_v",
    "eckert_vi",
    "equal_earth",
    "hammer",
    "lambert_cylindrical",
    "mercator",
    "miller",
    "mollweide",
    "plate_carree",
    "robinson",
    "sinusoidal",
)
"""Those whose map of the globe ends, left and right, at one meridian."""

PARTIAL: Final = ("gnomonic", "oblique_mercator", "transverse_mercator")
"""Those made for part of the globe; the rest of it would be folded over the map."""

CONIC: Final = ("albers_equal_area", "equidistant_conic", "lambert_conformal")


def squeezed(name: str) -> str:
    """Return a name without case and underscores: ``EckertIV`` and ``eckert_iv`` are the same."""
    return name.replace("_", "").lower()


def make_projection(
    name: str, central_longitude: float, central_latitude: float | None
) -> cartopy.crs.Projection:
    """Return a projection centred on a place; the latitude counts where the projection has one.

    Raises
    ------
    ConfigError
        When the installed cartopy does not have it.
    """
    import cartopy.crs

    classes = {squeezed(key): cls for key, cls in vars(cartopy.crs).items() if inspect.isclass(cls)}
    cls = classes.get(squeezed(name))
    if cls is None:
        raise ConfigError(
            f"maps.projection: the installed cartopy has no projection {name!r}; "
            "choose another or update cartopy"
        )
    arguments: dict[str, Any] = {"central_longitude": central_longitude}
    if central_latitude is not None and "central_latitude" in inspect.signature(cls).parameters:
        arguments["central_latitude"] = central_latitude
        if name in CONIC and central_latitude < 0:
            # Cones are made for the north: put the standard parallels in the south as well.
            arguments["standard_parallels"] = (-20.0, -50.0)
            if name == "lambert_conformal":
                arguments["cutoff"] = 30.0
    return cls(**arguments)


def fit_view(axes: Any, lat: tuple[float, float], lon: tuple[float, float]) -> None:
    """Limit a map to a box and frame it along the box's edge.

    Parameters
    ----------
    axes
        Cartopy's axes.
    lat, lon
        South and north, west and east edge of the box in degrees; east exceeds west.
    """
    (south, north), (west, east) = lat, lon
    # Inside as well as along the edge: the farthest point of a projected box may lie anywhere.
    x, y = np.meshgrid(np.linspace(west, east, 121), np.linspace(south, north, 121))
    points = _projected(axes, x, y)
    points = points[np.isfinite(points).all(axis=-1)]
    limits = np.array([axes.projection.x_limits, axes.projection.y_limits])
    low = np.maximum(points.min(axis=0), limits[:, 0])
    high = np.minimum(points.max(axis=0), limits[:, 1])
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])

    outline = _projected(axes, *_outline(axes, lat, lon))
    within = (outline >= limits[:, 0] - 1) & (outline <= limits[:, 1] + 1)
    if len(outline) and within.all():
        from matplotlib.path import Path

        axes.set_boundary(Path(outline, closed=True))


def _outline(
    axes: Any, lat: tuple[float, float], lon: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return points along the edge of a box; none when the box has no edge of its own."""
    import cartopy.crs

    (south, north), (west, east) = lat, lon
    across, along = np.linspace(west, east, 361), np.linspace(south, north, 181)
    if east - west > 359.99:
        # All around: a belt on a map that ends at one meridian, a disc on a polar one.
        name = type(axes.projection).__name__
        if isinstance(axes.projection, cartopy.crs.Stereographic):
            edge = south if name.startswith("North") else north
            return across, np.full_like(across, edge)
        if squeezed(name) not in {squeezed(known) for known in BETWEEN_MERIDIANS}:
            return np.empty(0), np.empty(0)
    x = [across, np.full_like(along, east), across[::-1], np.full_like(along, west)]
    y = [np.full_like(across, south), along, np.full_like(across, north), along[::-1]]
    return np.concatenate(x), np.concatenate(y)


def _projected(
    axes: Any, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return map coordinates [..., 2] of longitudes and latitudes."""
    import cartopy.crs

    # Counted from the middle and kept from the cut: longitudes beyond ±180 would be turned back.
    middle = (lon.min() + lon.max()) / 2 if lon.size else 0.0
    source = cartopy.crs.PlateCarree(central_longitude=middle)
    away = np.clip(lon - middle, -180 + 1e-6, 180 - 1e-6)
    return np.asarray(axes.projection.transform_points(source, away, lat)[..., :2])
