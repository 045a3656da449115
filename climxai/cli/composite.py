"""`climxai composite`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("composite")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Average the relevance of each class and draw it over the field's own composite.

    Writes one netCDF file per method and one map per method and class, and prints how far the maps
    can be trusted: conservation, the fraction of zero maps and the spread over seeds.

    \b
    Examples:
      climxai composite configs/enso_demo.yaml
      climxai composite configs/enso_demo.yaml --set composite.normalise=sum
      climxai composite configs/enso_demo.yaml --set maps.projection=plate_carree
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_composites
    from climxai.stages.composite import composite

    show_composites(composite(experiment))
