"""Settings of the maps: projection, part of the world, colours, files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import ConfigError, did_you_mean
from climxai.core.paths import ConfigPath
from climxai.core.record import Record
from climxai.core.region import AnyRegion, Region
from climxai.plots.places import Place, as_places
from climxai.plots.projections import PROJECTIONS, squeezed


def _projection_name(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for name in PROJECTIONS:
        if squeezed(name) == squeezed(value):
            return name
    raise PydanticCustomError(
        "projection",
        "there is no projection named {found}.{hint}",
        {"found": repr(value), "hint": did_you_mean(value, PROJECTIONS)},
    )


class Maps(Record):
    """How maps are drawn: relevance shaded, the input field's composite contoured, land grey."""

    name: Literal["maps"] = "maps"
    projection: Annotated[str, BeforeValidator(_projection_name)] = Field(
        "robinson", json_schema_extra={"enum": list(PROJECTIONS)}
    )
    """a cartopy projection, as robinson, equal_earth, PlateCarree or NorthPolarStereo"""
    central_longitude: float | None = Field(None, ge=-360, le=360)
    """middle of the map, degrees east; null: 180 (the Pacific) for the globe, else the middle of
    the region"""
    region: AnyRegion | None = None
    """part of the world to show: a name, [south, north, west, east], or null for all of the grid"""
    formats: tuple[Literal["png", "pdf", "svg"], ...] = Field(("png", "pdf"), min_length=1)
    """kinds of files to write"""
    dpi: int = Field(300, ge=50, le=1200)
    """dots per inch of PNG files and of the shading inside PDF and SVG files"""
    field_contours: bool = True
    """whether to draw the input field's composite as contours"""
    contour_interval: float | None = Field(None, gt=0)
    """distance of the contours in the field's units; null: a round number that gives about six"""
    colours: str | None = None
    """a colour map of matplotlib, or of cmocean (cmo.balance) or cmcrameri (cmc.vik) where it is
    installed; null: white to red, or blue to red for methods with signs"""
    limit: float | None = Field(None, gt=0)
    """relevance at the end of the colour bar; null: where 99 % of the map's area lies below"""
    significance: Literal["dots", "hatching", "only", "none"] | None = None
    """how the first test of a composite is marked: dots where it is significant, hatching where it
    is not, `only`: nothing is shaded where it is not; null: dots, and `only` for null networks"""
    regions: Annotated[tuple[Place, ...], BeforeValidator(as_places)] = ()
    """regions whose shares of relevance `climxai pictures` draws and tabulates: names, boxes with a
    name as `{north_pacific: [20, 60, 120, 250]}`, or a list of both; empty: the label's region"""
    section: AnyRegion = Region(south=-10, north=10)
    """the band of longitude-time sections (its latitudes are averaged, its longitudes shown), and
    of latitude-time ones (its longitudes are averaged, all latitudes shown)"""
    coastlines: Annotated[Literal["packaged"] | ConfigPath, Field(union_mode="left_to_right")] = (
        "packaged"
    )
    """`packaged` (Natural Earth 1:110m) or the path of a finer Natural Earth .shp or GeoJSON"""
    land_colour: str = "#c9c9c9"
    """colour of land, a name or #rrggbb; other cells without data are half as dark"""

    @field_validator("formats")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("regions")
    @classmethod
    def _named_once(cls, value: tuple[Place, ...]) -> tuple[Place, ...]:
        names = [each.called for each in value]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise PydanticCustomError("twice", "{name} is named twice", {"name": twice[0]})
        return value

    @property
    def coastline_file(self) -> str | None:
        """The user's own coastline file, None for the packaged one."""
        return None if self.coastlines == "packaged" else self.coastlines

    def check(self) -> None:
        """Raise what is wrong with colours and files before anything is computed.

        Raises
        ------
        ConfigError
            For a colour, colour map or projection that the installed libraries do not know.
        DataError
            For a coastline file that cannot be read.
        """
        import matplotlib
        from matplotlib.colors import is_color_like

        from climxai.core.geography.files import read_shapes
        from climxai.plots.colours import known_colours
        from climxai.plots.projections import make_projection

        if self.colours is not None and not known_colours(self.colours):
            raise ConfigError(
                f"maps.colours: matplotlib has no colour map {self.colours!r}."
                + did_you_mean(self.colours, sorted(matplotlib.colormaps))
            )
        if not is_color_like(self.land_colour):
            raise ConfigError(
                f"maps.land_colour: {self.land_colour!r} is not a colour; use a name like "
                "lightgrey or a value like '#c9c9c9'"
            )
        make_projection(self.projection, 0.0, None)
        if self.coastline_file is not None:
            read_shapes(self.coastline_file)
