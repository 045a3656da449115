"""Significance: in how many cells, by which test and rule; and agreement of signs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.core import dims
from climxai.report.markup import Html, bullets, html, tag
from climxai.report.material import Composite, Material
from climxai.report.numbers import percent
from climxai.report.tables import Cell, table

PREFIX = "significant_"


def body(material: Material) -> Html | None:
    """Return one table of tests, one of agreement; nothing where nothing was tested."""
    tested = [row for each in material.composites for row in _tests(material, each)]
    agreed = [row for each in material.composites for row in _agreement(material, each)]
    if not tested and not agreed:
        return None
    found: list[Any] = []
    if tested:
        found.append(
            table(
                "Significant cells",
                ["method", "class", "test", "samples", "cells tested", "significant", "share",
                 "largest significant p"],
                tested,
                digits=4,
            )
        )  # fmt: skip
        rules = dict.fromkeys(rule for each in material.composites for rule in _rules(each))
        found.append(bullets(rules))
    if agreed:
        found.append(
            table(
                "Agreement of signs",
                [
                    "method",
                    "class",
                    "between",
                    "agreement, mean",
                    "cells where all agree",
                ],
                agreed,
                note="Weighted by area. A map that is zero agrees with no sign.",
            )
        )
    else:
        found.append(tag("p", "There is one network: agreement between seeds is unknown."))
    return html(found)


def _tests(material: Material, composite: Composite) -> list[list[Any]]:
    dataset, rows = composite.dataset, []
    for variable in map(str, dataset.data_vars):
        if not variable.startswith(PREFIX):
            continue
        test = variable.removeprefix(PREFIX)
        over = str(dataset[variable].dims[0])
        for name in dataset[over].values:
            chosen = {over: name}
            cells = _sum(dataset, f"cells_{test}", chosen)
            held = _sum(dataset, f"cells_significant_{test}", chosen)
            count = f"networks_{test}" if f"networks_{test}" in dataset else f"samples_{test}"
            threshold = None
            if f"threshold_{test}" in dataset:
                values = dataset[f"threshold_{test}"].sel(chosen).values
                threshold = float(np.nanmax(values)) if np.isfinite(values).any() else None
            rows.append(
                [
                    composite.name,
                    material.words(str(name)),
                    test.replace("_", " "),
                    _sum(dataset, count, chosen),
                    cells,
                    held,
                    Cell(percent(held / cells), held / cells) if cells and held is not None
                    else None,
                    threshold,
                ]
            )  # fmt: skip
    return rows


def _sum(dataset: Any, name: str, chosen: dict[str, Any]) -> int | None:
    return int(dataset[name].sel(chosen).sum()) if name in dataset else None


def _rules(composite: Composite) -> list[str]:
    found = []
    for variable in map(str, composite.dataset.data_vars):
        if variable.startswith(PREFIX):
            about = composite.dataset[variable].attrs
            test = variable.removeprefix(PREFIX).replace("_", " ")
            said = [test[:1].upper() + test[1:]]
            said += [str(about[key]) for key in ("rule", "domain") if key in about]
            question = composite.dataset.get(f"p_{variable.removeprefix(PREFIX)}")
            if question is not None and "question" in question.attrs:
                said.append(str(question.attrs["question"]))
            found.append("; ".join(said) + ".")
    return found


def _agreement(material: Material, composite: Composite) -> list[list[Any]]:
    dataset, rows = composite.dataset, []
    for between in ("seeds", "methods"):
        variable = f"sign_agreement_{between}"
        if variable not in dataset:
            continue
        for name in dataset[dims.CLASS].values:
            chosen = dataset[variable].sel({dims.CLASS: name})
            values = chosen.transpose(dims.CHANNEL, dims.LAT, dims.LON).values
            area = _area(dataset[dims.LAT].values, values)
            held = np.isfinite(values)
            weight = float(area[held].sum())
            if weight:
                whole = float((area * (values > 1 - 1e-6))[held].sum() / weight)
                rows.append(
                    [
                        composite.name,
                        material.words(str(name)),
                        between,
                        float((area[held] * values[held]).sum() / weight),
                        Cell(percent(whole), whole),
                    ]
                )
    return rows


def _area(lat: npt.NDArray[Any], like: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    area = np.cos(np.deg2rad(lat.astype(float))).clip(0)
    return np.broadcast_to(area[None, :, None], like.shape)
