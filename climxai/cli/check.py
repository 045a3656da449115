"""`climxai check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load
from climxai.core.errors import DataError


@click.command("check")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Validate a configuration, open its data and print the plan; nothing is written.

    \b
    Examples:
      climxai check configs/enso_demo.yaml
      climxai check configs/enso_demo.yaml --set split.gap=6
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_plan
    from climxai.stages.check import check

    plan = check(experiment)
    show_plan(plan)
    if plan.refusal is not None:
        raise DataError(plan.refusal)
