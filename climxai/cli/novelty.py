"""`climxai novelty`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("novelty")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Rank samples by how unlike a baseline they are.

    Finds the leading patterns of the baseline (its training samples, a class, the rows of no class,
    a period) and measures what they leave of every other sample, in the inputs or in a layer of the
    networks. Writes netCDF, a ranking as CSV, novelty against time and maps of the most novel
    samples. Only layers need trained networks.

    \b
    Examples:
      climxai novelty configs/enso_demo.yaml
      climxai novelty configs/enso_demo.yaml --set novelty.baseline=no_class
      climxai novelty configs/enso_demo.yaml --set novelty.space=4
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_novelty
    from climxai.stages.novelty import novelty

    show_novelty(novelty(experiment))
