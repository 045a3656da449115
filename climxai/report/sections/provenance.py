"""Provenance: commands, versions, digests of inputs and networks."""

from __future__ import annotations

from typing import Any

from climxai.report.markup import Html, html, tag
from climxai.report.material import Material
from climxai.report.tables import table


def body(material: Material) -> Html | None:
    """Return what was run when, with which versions, on which files."""
    stages = {name: stage for name, stage in material.provenance.items() if isinstance(stage, dict)}
    if not stages:
        return None
    found: list[Any] = [
        table(
            "Stages",
            ["stage", "command", "started, UTC", "finished, UTC", "on"],
            [
                [
                    name,
                    tag("code", stage.get("command", "")),
                    _time(stage.get("started")),
                    _time(stage.get("finished")),
                    stage.get("platform"),
                ]
                for name, stage in stages.items()
            ],
        ),
        _versions(stages),
        table(
            "Input files",
            ["file", "SHA-256"],
            [
                [tag("code", path), tag("code", digest)]
                for path, digest in _merged(stages, "inputs").items()
            ],
        ),
    ]
    networks = _merged(stages, "networks")
    if networks:
        found.append(
            table(
                "Networks",
                ["seed", "SHA-256"],
                [[seed, tag("code", digest)] for seed, digest in networks.items()],
            )
        )
    return html(found)


def _time(text: Any) -> str | None:
    return str(text).replace("T", " ").removesuffix("Z") if text else None


def _versions(stages: dict[str, dict[str, Any]]) -> Html:
    packages = dict.fromkeys(
        package for stage in stages.values() for package in stage.get("versions", {})
    )
    rows = []
    for package in packages:
        held = [stage.get("versions", {}).get(package) for stage in stages.values()]
        rows.append([package, ", ".join(dict.fromkeys(str(each) for each in held if each))])
    return table("Versions", ["package", "version"], rows)


def _merged(stages: dict[str, dict[str, Any]], key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for stage in stages.values():
        held = stage.get(key, {})
        if isinstance(held, dict):
            found |= {str(name): str(value) for name, value in held.items()}
    return found
