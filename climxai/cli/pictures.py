"""`climxai pictures`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("pictures")
@experiment_command
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
def command(
    config: Path, overrides: tuple[str, ...], kinds: tuple[str, ...], **options: Any
) -> None:
    """Draw the standard pictures of a finished run: all, or those of some kinds.

    \b
    Kinds:
      panels       composites: methods by classes, seasons or other groups
      seeds        composites of single networks beside each other
      clusters     composites of the clusters that `climxai strategies` found
      means        composites with zonal and meridional means
      sections     relevance and field by longitude and time, latitude and time
      confusion    confusion matrices of the networks
      reliability  how often the networks are right against how sure they are
      shares       shares of relevance in `maps.regions`, as bars and as CSV

    They lie in `pictures/`. A kind that lacks what it needs is left out, unless it was named.

    \b
    Examples:
      climxai pictures configs/enso_demo.yaml
      climxai pictures configs/enso_demo.yaml panels shares
      climxai pictures configs/enso_demo.yaml sections --set maps.section=tropical_pacific
      climxai pictures configs/enso_demo.yaml shares --set maps.regions=[nino34,tropical_pacific]
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_paths
    from climxai.stages.pictures import pictures

    done = pictures(experiment, kinds)
    for name, paths in done.written.items():
        show_paths(name, paths)
    for name, why in done.left_out.items():
        click.echo(f"{name}: left out, {why}", err=True)
