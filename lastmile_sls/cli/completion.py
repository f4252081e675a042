"""`lastmile completion`: print the shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script; for bash: eval "$(lastmile completion bash)"."""
    from lastmile_sls.cli import lastmile

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(lastmile, {}, "lastmile", "_LASTMILE_COMPLETE").source())
