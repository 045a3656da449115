"""`climxai composite`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("composite")
@experiment_command
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Leave out files of relevance that are missing or damaged.",
)
def command(config: Path, overrides: tuple[str, ...], allow_missing: bool, **options: Any) -> None:
    """Average the relevance of each class and draw it over the field's own composite.

    Writes one netCDF file per method and composite, and one map per group of it, and prints how far
    the maps can be trusted: conservation, the fraction of zero maps and the spread over seeds.

    \b
    Examples:
      climxai composite configs/enso_demo.yaml
      climxai composite configs/enso_demo.yaml --set composite.normalise=sum
      climxai composite configs/enso_demo.yaml --set composite.where="month in [11, 12, 1]"
      climxai composite configs/enso_demo.yaml --set maps.projection=plate_carree
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_composites
    from climxai.stages.composite import composite

    show_composites(composite(experiment, allow_missing=allow_missing))
