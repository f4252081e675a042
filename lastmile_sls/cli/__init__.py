"""The `lastmile` command: one module per sub-command, imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from lastmile_sls import __version__
from lastmile_sls.errors import LastmileError

COMMANDS = {
    "init": "look at a model file and write a spec for it",
    "up": "deploy the spec",
    "preview": "say what up would do",
    "status": "show deployments, their functions and processes",
    "traffic": "move the traffic between versions: show, set, shadow, throttle, promote, rollback, history",
    "queue": "say what a queue holds, look at what it set aside, deliver that once more: status, peek, redrive",
    "schedule": "score the files of a folder now, and say how far each is: run, status",
    "url": "print the endpoint's address",
    "key": "print the endpoint's API key",
    "bucket": "print where the deployment's files are",
    "logs": "show what functions and their host logged",
    "smoke": "call the deployed endpoint as a client would, and compare its answers with the certified ones",
    "destroy": "delete a deployment",
    "fit": "say which targets can carry the spec, and what would make the others fit",
    "estimate": "say what a month will cost, meter by meter, and what changes beside what is deployed",
    "prices": "say what the clouds' list prices are and when they were read, and read them anew: show, list, refresh",
    "compare": "say which cloud and size to choose for a month's traffic, and where that changes",
    "usage": "count the requests that each version answered on each day",
    "budget": "say what of the month's budget is spent, and do what the spec says at which share: status, enforce",
    "build": "write the project without deploying it, for any target",
    "policy": "hold what would be deployed to rules: check, rules, schema, pack",
    "costs": "say what each model cost, from the clouds' bills in the FOCUS format",
    "tags": "compare the tags of what is deployed with the spec's, and say what missing ones cost: check",
    "inspect": "say what serves each version, what takes room, and where the cold start goes",
    "check": "run the built bundle as its target would, on the certified answers",
    "sign": "sign what was built",
    "verify": "compare what was built with the plan, byte for byte, and see who signed it",
    "schema": "print the spec's JSON Schema",
    "stack": "hand a stack over to the Pulumi CLI",
    "bootstrap": "make what a cloud account shares: state, bill, registry, cost tags",
    "doctor": "look at this machine and say what is missing",
    "completion": "print the shell's completion script",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lastmile_sls.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="lastmile %(version)s")
def lastmile() -> None:
    """From a trained model file and one YAML spec to an HTTPS endpoint, through a Pulumi program that you own."""


def main() -> None:
    """Run the command line; a user's error is printed as message and hint, with exit code 1."""
    try:
        lastmile.main(standalone_mode=False)
    except LastmileError as error:
        fail(error)
    except click.exceptions.Abort:
        click.echo("stopped.", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)


def fail(error: LastmileError) -> None:
    """Print message and hint to standard error and exit with code 1."""
    click.echo(click.style("error: ", fg="red", bold=True) + error.message, err=True)
    for line in error.hint.splitlines():
        click.echo(click.style("hint: ", fg="cyan") + line, err=True)
    sys.exit(1)
