"""`climxai sample`."""

from __future__ import annotations

from pathlib import Path

import click

from climxai.core.log import log_to_stderr


@click.command("sample")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Seed of the generator.")
@click.option("--years", default=60, show_default=True, help="Length of the record.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def command(path: Path, seed: int, years: int, force: bool, debug: bool) -> None:
    """Write a synthetic monthly SST record, with known El Niño and La Niña events, to PATH.

    The same seed gives the same record. It is made up, and says so in its attributes: for learning
    the tool and testing it, not for science.

    \b
    Example:
      climxai sample my_sst.nc --seed 7 --years 40
    """
    del debug
    from climxai.stages.sample import write_sample

    log_to_stderr()
    write_sample(path, seed=seed, years=years, force=force)
    click.echo(path)
