"""`climxai animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from climxai.cli.options import experiment_command, load


@click.command("animate")
@experiment_command
@click.option("--method", metavar="ID", help="Method. The first by default.")
@click.option("--period", metavar="PERIOD", help="Such as 1997/1999-02. All samples by default.")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    help="Draw every n-th sample. By default so that there are at most 240 frames.",
)
@click.option("--seed", type=int, help="Network. The mean over all by default.")
@click.option("--member", help="Member, where the data have some. The first by default.")
@click.option("--channel", help="Channel, where there are several. The first by default.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["gif", "mp4"]),
    default="gif",
    show_default=True,
    help="MP4 needs the program ffmpeg.",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0.1, max=50),
    default=6.0,
    show_default=True,
    help="Frames per second.",
)
def command(
    config: Path,
    overrides: tuple[str, ...],
    method: str | None,
    period: str | None,
    fps: float,
    **options: Any,
) -> None:
    """Show relevance and field through time, sample after sample, as a film.

    All frames share one colour scale and one distance of contours. Below the map runs the series
    behind the labels, where there is one.

    \b
    Examples:
      climxai animate configs/enso_demo.yaml
      climxai animate configs/enso_demo.yaml --method lrp --period 1997/1999 --fps 4
      climxai animate configs/enso_demo.yaml --every 3 --format mp4
    """
    experiment = load(config, overrides, options)

    from climxai.cli.options import as_period_option
    from climxai.stages.animate import animate

    chosen = {name: options[name] for name in ("every", "seed", "member", "channel", "form")}
    done = animate(experiment, method, period=as_period_option(period), per_second=fps, **chosen)
    click.echo(f"{done.frames} frames, {done.first} to {done.last}")
    click.echo(f"film  {done.path}")
