"""How captions and pages name classes, fields and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.config.experiment import Experiment

READABLE: Final = {"el_nino": "El Niño", "la_nina": "La Niña"}
"""Names of classes that are written otherwise in titles than in files."""


def field_name(about: xr.DataArray | xr.Dataset, experiment: Experiment) -> str:
    """Return what one channel of the field is, as an anomaly where it is made one."""
    from climxai.plots.layers import readable_name

    name = readable_name(str(about["long_name"].item() or about["channel"].item()))
    made = {step.name for step in experiment.preprocess}
    if made & {"anomaly", "detrend"} and "anomal" not in name.lower():
        return f"{name} anomaly"
    return name


def words(name: str) -> str:
    """Return the name of a class or group as people write it: ``el_nino_DJF`` as El Niño DJF."""
    for known, readable in READABLE.items():
        if name == known or name.startswith(f"{known}_"):
            return f"{readable}{name.removeprefix(known)}".replace("_", " ")
    return name.replace("_", " ")


def how_made(method: Method) -> str:
    """Return a method and its rule, as ``lrp (alpha1beta0)``."""
    settings = method.model_dump(mode="json")
    # Other methods have rules of another kind, as integrated gradients that of the sum.
    rule = settings.get("rule") if settings["name"] == "lrp" else None
    rule = rule["name"] if isinstance(rule, dict) else rule
    return f"{method.id} ({rule})" if rule and rule != method.id else str(method.id)
