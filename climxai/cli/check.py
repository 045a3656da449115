"""`climxai check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from climxai.cli.options import experiment_command, load
from climxai.core.errors import DataError

if TYPE_CHECKING:
    from climxai.stages.check import Plan


def show_rules(plan: Plan) -> None:
    """Print which layer gets which rule; methods that agree share a table."""
    from climxai.cli.show import table

    alike: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for method, rules in plan.rules.items():
        alike.setdefault(rules, []).append(method)
    for rules, methods in alike.items():
        click.echo()
        click.echo(table([f"layers of {', '.join(methods)}", "kind", "rule"], rules))


@click.command("check")
@experiment_command
def command(config: Path, overrides: tuple[str, ...], **options: Any) -> None:
    """Validate a configuration, open its data and print the plan; nothing is written.

    For layer-wise relevance propagation the plan says which layer gets which rule; rule maps know
    the layers by these names and kinds.

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
    show_rules(plan)
    if plan.refusal is not None:
        raise DataError(plan.refusal)
