"""The data room: netCDF files to labelled samples, split and preprocessed. Knows no torch."""
