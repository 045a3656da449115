"""Latitude and longitude axes: normalised, cut to a region, compared, weighed, described."""
