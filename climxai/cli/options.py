"""Options every command on a configuration shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from climxai.core.log import log_to_stderr

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.core.period import Period


def experiment_command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command its CONFIG argument and --set, --quiet, --verbose, --debug."""
    decorators = [
        click.argument("config", type=click.Path(path_type=Path)),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            help="Change one setting; repeatable. Paths are relative to the working directory.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Only warnings, errors and results."),
        click.option("-v", "--verbose", is_flag=True, help="More detail on standard error."),
        click.option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def load(config: Path, overrides: tuple[str, ...], options: dict[str, Any]) -> Experiment:
    """Set up logging and read the configuration."""
    from climxai.config.experiment import load_experiment

    log_to_stderr(
        verbose=bool(options.get("verbose") or options.get("debug")),
        quiet=bool(options.get("quiet")),
    )
    return load_experiment(config, overrides)


def as_period_option(text: str | None) -> Period | None:
    """Return a period given on the command line as in a configuration.

    Raises
    ------
    ConfigError
        When it is none.
    """
    from pydantic import TypeAdapter, ValidationError

    from climxai.core.errors import ConfigError
    from climxai.core.period import AnyPeriod

    if text is None:
        return None
    try:
        period: Period = TypeAdapter(AnyPeriod).validate_python(text)
    except ValidationError as error:
        raise ConfigError(f"--period: {error.errors()[0]['msg']}") from None
    return period
