"""Run: train, explain, composite and report in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from climxai.stages.composite import Composited, composite
from climxai.stages.explain import Explained, explain
from climxai.stages.report import Reported, report
from climxai.stages.train import Trained, train

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment


def run(experiment: Experiment) -> tuple[Trained, Explained, Composited, Reported]:
    """Do all four stages; what is done already is kept."""
    return train(experiment), explain(experiment), composite(experiment), report(experiment)
