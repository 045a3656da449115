"""`climxai train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("train")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Train the networks of an experiment, one per seed.

    Bundles, loss curves and scores go below the output directory. A seed that is trained already,
    with the same data and settings, is kept.

    \b
    Examples:
      climxai train configs/enso_demo.yaml
      climxai train configs/enso_demo.yaml --set 'train.seeds=[0,1,2]'
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_training
    from climxai.stages.train import train

    show_training(train(experiment))
