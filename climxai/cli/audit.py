"""`climxai audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("audit")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Follow relevance through the networks, layer by layer, for every LRP method.

    Writes what biases and stabilisers took per sample and layer as netCDF and as pictures, prints
    how much of the explained output reached the map, and gives advice where a network's
    architecture hurts the reading of its maps.

    \b
    Examples:
      climxai audit configs/enso_demo.yaml
      climxai audit configs/enso_cnn.yaml --set explain.samples=test
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_audit
    from climxai.stages.audit import audit

    show_audit(audit(experiment))
