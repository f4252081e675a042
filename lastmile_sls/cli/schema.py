"""`lastmile schema`: print the spec's JSON Schema."""

from __future__ import annotations

import click

from lastmile_sls.cli import options


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of lastmile.yaml, for editors and other tools."""
    from lastmile_sls.spec.schema import json_schema

    options.print_json(json_schema())
