"""`climxai report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from climxai.cli.options import experiment_command, load

if TYPE_CHECKING:
    from climxai.stages.report import Reported


@click.command("report")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Write one HTML page of a finished run, readable without a network.

    It shows what was asked, the data and their gaps, the scores beside the baselines, warnings that
    matter, and whatever the other commands have left in the output directory. What is not there is
    left out.

    \b
    Examples:
      climxai report configs/enso_demo.yaml
      climxai report runs/enso_demo/config.yaml
    """
    experiment = load(config, overrides, options)

    from climxai.stages.report import report

    show_report(report(experiment))


def show_report(done: Reported) -> None:
    """Print how many warnings the page has, and where it lies."""
    from climxai.cli.show import size

    count = len(done.warnings)
    click.echo(
        f"\n{count or 'no'} warning{'' if count == 1 else 's'} in the report"
        f"{': ' if count else ''}"
        + ", ".join(dict.fromkeys(each.split(":")[0].lower() for each in done.warnings))
    )
    click.echo(f"report  {done.path} ({size(done.bytes)})")  # fmt: skip
