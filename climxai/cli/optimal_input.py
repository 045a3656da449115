"""`climxai optimal-input`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("optimal-input")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Optimise the input for what the networks should answer: their own idea of each class.

    Starts from a map of zeros, a climatology, a sample or noise and changes it step by step down
    the gradient. Writes one netCDF file in the units of the field, a map per target and the loss
    curves, and prints what was reached and the correlation with the class's mean field.

    \b
    Examples:
      climxai optimal-input configs/enso_demo.yaml
      climxai optimal-input configs/enso_demo.yaml --set optimal_input.regularisers=smoothness
      climxai optimal-input configs/enso_demo.yaml \\
          --set optimal_input.targets="{name: unit, layer: 1, unit: 0}"
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_optimal_inputs
    from climxai.stages.optimal_input import optimal_input

    show_optimal_inputs(optimal_input(experiment))
