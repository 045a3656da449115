"""`climxai weights`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("weights")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Map the weights of the first layer, unit by unit: what each unit looks for in the field.

    A dense first layer gives one map per unit, with coastlines; a convolution its windows. Reads
    the trained networks only, no data.

    \b
    Examples:
      climxai weights configs/enso_demo.yaml
      climxai weights configs/enso_cnn.yaml --set maps.formats=[png]
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_paths
    from climxai.stages.weights import weights

    done = weights(experiment)
    show_paths("netCDF", [done.netcdf])
    show_paths("picture", done.pictures)
