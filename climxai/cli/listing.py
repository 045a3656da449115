"""`climxai list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from climxai.config.listing import EntryRow, TableRows


@click.command("list")
@click.argument("what", required=False)
@click.option("--short", is_flag=True, help="Names and summaries only.")
def command(what: str | None, short: bool) -> None:
    """Show what can be written into a configuration, with fields and defaults.

    WHAT is a key such as `label` or `explain.methods`, or the name of one entry such as
    `box_index`; without it, everything is shown.

    \b
    Examples:
      climxai list --short
      climxai list explain.methods
      climxai list box_index
    """
    from climxai.config.listing import listing
    from climxai.core.errors import ConfigError, did_you_mean

    found = False
    known: list[str] = []
    for table in listing():
        whole = what is None or table.key == what or table.key.startswith(f"{what}.")
        entries = [entry for entry in table.entries if whole or entry.name == what]
        known += [table.key, *(entry.name for entry in table.entries)]
        if entries:
            found = True
            _show(table, entries, short)
    if not found:
        raise ConfigError(f"nothing is called {what!r}.{did_you_mean(str(what), known)}")


def _show(table: TableRows, entries: list[EntryRow], short: bool) -> None:
    default = f", default {table.default}" if table.default else ""
    click.secho(f"{table.key}  ({table.kind}{default})", bold=True)
    for entry in entries:
        click.echo(f"  {entry.name:22s} {entry.summary}")
        if short:
            continue
        for field in entry.fields:
            value = "must be given" if field.default is None else f"default {field.default}"
            click.echo(f"      {field.name}: {field.type}, {value}")
            if field.doc:
                click.echo(
                    click.wrap_text(
                        field.doc, 96, initial_indent=" " * 10, subsequent_indent=" " * 10
                    )
                )
    click.echo()
