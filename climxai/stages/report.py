"""Report: everything that stands in an output directory -> one self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from climxai.core.errors import ConfigError
from climxai.core.files import write_text
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, stage_output, write_provenance

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment


@dataclass(frozen=True)
class Reported:
    """The page, and what it warns of."""

    path: Path
    bytes: int
    warnings: tuple[str, ...]
    layout: Layout


def report(experiment: Experiment) -> Reported:
    """Write the page of a finished run; nothing is computed but small maps of single samples.

    Raises
    ------
    OutputError
        When there is nothing to report, or a file that is there cannot be read.
    """
    from climxai.report.cautions import cautions
    from climxai.report.page import page
    from climxai.stages.report_material import gather
    from climxai.stages.report_moments import moments_of

    with stage_output(experiment, "report") as layout:
        started = begin(())
        kept = _kept(experiment, layout)
        material = gather(experiment, kept, layout, moments_of(kept, layout))
        write_text(layout.report, page(material))
        write_provenance(layout, "report", started, outputs=[layout.report.name])
    warnings = tuple(f"{each.title}: {each.text}" for each in cautions(material))
    return Reported(layout.report, layout.report.stat().st_size, warnings, layout)


def _kept(experiment: Experiment, layout: Layout) -> Experiment:
    """Return the configuration beside the results, the one asked for where there is none."""
    from climxai.config.experiment import load_experiment

    if not layout.config.exists():
        return experiment
    try:
        return load_experiment(layout.config)
    except ConfigError:
        # Written by another version: what was asked for has to do.
        return experiment
