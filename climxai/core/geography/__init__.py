"""Coastlines packaged with the tool, and the land masks made from them. Nothing is downloaded."""

from climxai.core.geography.coastlines import coastline_lines, land_polygons
from climxai.core.geography.mask import land_fraction, land_mask

__all__ = ["coastline_lines", "land_fraction", "land_mask", "land_polygons"]
