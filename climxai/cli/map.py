"""`climxai map`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("map")
@experiment_command
@click.option("--date", required=True, metavar="DATE", help="The sample's date, such as 1998-05.")
@click.option(
    "--method", "methods", multiple=True, metavar="ID", help="Method; repeatable. All by default."
)
@click.option("--seed", type=int, help="Network. The mean over all by default.")
@click.option("--member", help="Member, where the data have some. The first by default.")
def command(
    config: Path,
    overrides: tuple[str, ...],
    date: str,
    methods: tuple[str, ...],
    seed: int | None,
    member: str | None,
    **options: Any,
) -> None:
    """Draw the relevance of a single sample over its field.

    The map is read from the relevance that `climxai explain` left, and divided as
    `composite.normalise` says. A date that was not explained is answered with the nearest.

    \b
    Examples:
      climxai map configs/enso_demo.yaml --date 1998-02
      climxai map configs/enso_demo.yaml --date 1998-02 --method lrp --seed 0
      climxai map configs/enso_demo.yaml --date 1998-02 --set maps.region=tropical_pacific
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show import show_paths
    from climxai.stages.single_map import map_of

    for done in map_of(experiment, date, methods=methods, seed=seed, member=member):
        click.echo(f"{done.method}, {done.date}: {done.words}")
        show_paths("map", done.pictures)
