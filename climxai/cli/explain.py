"""`climxai explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("explain")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Attribute the networks' outputs to their inputs, sample by sample.

    Writes one netCDF file of relevance per shard of samples, method and seed. Shards that are
    there already are kept, so an interrupted run goes on where it stopped.

    \b
    Examples:
      climxai explain configs/enso_demo.yaml
      climxai explain configs/enso_demo.yaml --set explain.samples=test
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_audit
    from climxai.stages.explain import explain

    done = explain(experiment)
    click.echo(f"shards  {len(done.shards)}, of which {done.made} were made now")
    click.echo(f"index   {done.layout.index}")
    if done.audited is not None:
        show_audit(done.audited)
