"""`climxai strategies`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("strategies")
@click.option(
    "--compare",
    "others",
    multiple=True,
    metavar="DIRECTORY",
    type=click.Path(path_type=Path),
    help="Output directory of another run; its clusters are compared with these. Repeatable.",
)
@experiment_command
def command(
    config: Path, overrides: tuple[str, ...], others: tuple[Path, ...], **options: Any
) -> None:
    """Cluster the relevance of single samples into the strategies of the networks.

    Writes the clusters, their composites, dates and typical samples, draws why so many, and prints
    how stable the clusters are and which of them look suspect: relevance where there should be
    none, in one constant place whatever the field, or in a few odd samples.

    \b
    Examples:
      climxai strategies configs/enso_demo.yaml
      climxai strategies configs/enso_demo.yaml --set strategies.algorithm.clusters=2
      climxai strategies configs/enso_demo.yaml --set strategies.suspect.border=2
      climxai strategies configs/enso_demo.yaml --compare runs/other
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show_strategies import show_strategies
    from climxai.stages.strategies import strategies

    show_strategies(strategies(experiment, others))
