"""What `climxai importance` prints on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from climxai.cli.show import show_paths, table

if TYPE_CHECKING:
    from climxai.stages.importance import Ranked


def show_importance(done: Ranked) -> None:
    """Print, per method, the groups that matter most with their intervals; then the files."""
    metric = done.metric.replace("_", " ")
    change = "rise" if done.metric == "cross_entropy" else "fall"
    for method, rows in done.rows.items():
        intact, replaced = done.skill[method]
        click.echo(f"\n{method}: {metric} {intact:.3f}, with all groups replaced {replaced:.3f}")
        click.echo(
            table(
                ["group", change, "5%", "95%", "rank by seed", "cells"],
                (
                    [
                        row["group"],
                        row["mean"],
                        row["low"],
                        row["high"],
                        ", ".join(map(str, row["ranks"])),
                        row["cells"],
                    ]
                    for row in rows
                ),
            )
        )
    click.echo("\n5% and 95%: over repeats and seeds")
    click.echo()
    show_paths("netCDF", done.netcdfs)
    show_paths("picture", done.pictures)
