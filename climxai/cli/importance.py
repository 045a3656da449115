"""`climxai importance`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from climxai.cli.options import experiment_command, load


@click.command("importance")
@experiment_command
@click.option(
    "--metric",
    type=click.Choice(["cross_entropy", "accuracy"]),
    default="cross_entropy",
    show_default=True,
    help="What ranks the groups and is drawn; the files hold both.",
)
def command(
    config: Path,
    overrides: tuple[str, ...],
    metric: Literal["cross_entropy", "accuracy"],
    **options: Any,
) -> None:
    """Measure what regions are worth to the networks' skill, over all explained samples.

    For every `permutation_importance` among `explain.methods`: the rise of the cross entropy and
    the fall of the accuracy when a group of cells takes its values from other samples, by seed and
    repeat. Writes netCDF and bars with intervals over repeats and seeds, and prints the groups that
    matter most.

    \b
    Examples:
      climxai importance configs/enso_demo.yaml \\
          --set explain.methods="{name: permutation_importance, passes: multi}"
      climxai importance configs/enso_demo.yaml --metric accuracy
    """
    experiment = load(config, overrides, options)

    from climxai.cli.show_importance import show_importance
    from climxai.stages.importance import importance

    show_importance(importance(experiment, metric))
