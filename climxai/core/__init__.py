"""Ground floor: records, names, errors, files, provenance, logging. No torch, no xarray at import."""
