"""`climxai run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("run")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Train, explain, composite and report in one go; what is done already is kept.

    \b
    Examples:
      climxai run configs/enso_demo.yaml
      climxai run configs/enso_ersst.yaml --set data.files=ersstv5.nc --set output=runs/ersst
    """
    experiment = load(config, overrides, options)

    from climxai.cli.report import show_report
    from climxai.cli.show import show_audit, show_composites, show_training
    from climxai.stages.run import run

    trained, explained, composited, reported = run(experiment)
    show_training(trained)
    show_composites(composited)
    if explained.audited is not None:
        show_audit(explained.audited)
    show_report(reported)
