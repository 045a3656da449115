"""The entry point: the group of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Final

import click

from climxai.core.errors import ClimxaiError
from climxai.version import __version__

COMMANDS: Final = {
    "run": ("climxai.cli.run", "Train, explain, composite and report in one go."),
    "train": ("climxai.cli.train", "Train the networks of an experiment."),
    "explain": ("climxai.cli.explain", "Attribute the networks' outputs to their inputs."),
    "composite": ("climxai.cli.composite", "Average relevance per class and draw the maps."),
    "strategies": ("climxai.cli.strategies", "Cluster relevance and tell suspect strategies."),
    "pictures": ("climxai.cli.pictures", "Draw panels, sections, shares and scores of a run."),
    "map": ("climxai.cli.map", "Draw the relevance of a single sample by its date."),
    "animate": ("climxai.cli.animate", "Show relevance and field through time as a film."),
    "audit": ("climxai.cli.audit", "Follow relevance through the networks, layer by layer."),
    "importance": ("climxai.cli.importance", "Measure what regions are worth to the skill."),
    "weights": ("climxai.cli.weights", "Map the weights of the networks' first layer."),
    "optimal-input": (
        "climxai.cli.optimal_input",
        "Optimise the input for what the networks should answer.",
    ),
    "novelty": ("climxai.cli.novelty", "Rank samples by how unlike a baseline they are."),
    "report": ("climxai.cli.report", "Write one HTML page of a finished run."),
    "check": ("climxai.cli.check", "Validate a configuration and print the plan."),
    "list": ("climxai.cli.listing", "Show every method, network, label, … and its settings."),
    "schema": ("climxai.cli.schema", "Print the JSON schema of the configuration for editors."),
    "sample": ("climxai.cli.sample", "Write a synthetic monthly SST record to try things on."),
}
"""Name -> (module, help): a module is loaded when its command runs, so that help is instant."""

INTERRUPTED: Final = 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Add a hint to an unknown command."""
        from climxai.core.errors import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}.{did_you_mean(args[0], tuple(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 configuration, 3 data, 4 model, 5 output, 130 interrupted, "
    "1 a defect of climxai.",
)
@click.version_option(__version__, prog_name="climxai")
def cli() -> None:
    """Explain what neural networks say about climate fields: from netCDF to relevance maps.

    One YAML file describes an experiment; `climxai run` does all of it.

    \b
    Examples:
      climxai check configs/enso_demo.yaml
      climxai run configs/enso_demo.yaml
      climxai run configs/enso_demo.yaml --set train.epochs=5
    """


def main() -> None:
    """Run the command line; turn errors into messages and exit codes."""
    debug = "--debug" in sys.argv
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = _interrupted()
    except KeyboardInterrupt:
        code = _interrupted()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ClimxaiError as error:
        if debug:
            traceback.print_exc()
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (`climxai list | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted() -> int:
    click.echo(
        "\ninterrupted: nothing half-written was left; the same command goes on from here", err=True
    )
    return INTERRUPTED


if __name__ == "__main__":
    main()
