"""Ground floor: records, names, errors, files, provenance, logging. Loads no torch, no xarray."""
