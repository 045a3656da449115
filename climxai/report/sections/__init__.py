"""The parts of the page, in their order; one without anything to say is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from climxai.report.markup import Html
from climxai.report.material import Material
from climxai.report.sections import (
    again,
    asked,
    audit,
    clusters,
    composites,
    data,
    extras,
    networks,
    provenance,
    samples,
    significance,
)
from climxai.report.sections.warned import body as warned


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    title: str
    body: Callable[[Material], Html | None]


SECTIONS: Final[dict[str, Section]] = {
    "asked": Section("What was asked", asked.body),
    "data": Section("Data, gaps and split", data.body),
    "networks": Section("Networks and scores", networks.body),
    "warnings": Section("Warnings that matter", warned),
    "composites": Section("Composites", composites.body),
    "significance": Section("Significance", significance.body),
    "samples": Section("Single samples", samples.body),
    "clusters": Section("Clusters and strategies", clusters.body),
    "audit": Section("Audit of the rules", audit.body),
    "extras": Section("Other views", extras.body),
    "provenance": Section("Provenance", provenance.body),
    "again": Section("Run it again", again.configuration),
    "files": Section("All files", again.files),
}
"""Id -> part."""
