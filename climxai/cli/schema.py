"""`climxai schema`."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON schema of the configuration, for editors that complete and check YAML.

    \b
    Example, for editors with the YAML language server:
      climxai schema > climxai.schema.json
      # then, as the first line of a configuration:
      # yaml-language-server: $schema=climxai.schema.json
    """
    import json

    from climxai.config.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
