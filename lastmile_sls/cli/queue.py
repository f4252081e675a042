"""`lastmile queue`: what a queue holds, what it set aside and why, and delivering that once more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import choose_stack, find_deployment
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.work import QUEUE

if TYPE_CHECKING:
    from lastmile_sls.queue_view import QueueView

_queue_argument = click.argument("queue", default=QUEUE)
_deployment_option = click.option(
    "--deployment", "-d", help="The deployment. Default: the spec's, else the only one on this machine."
)


@dataclass(frozen=True)
class Where:
    """The queue that is meant."""

    queue: str
    deployment: str | None
    spec_path: Path | None
    target: str
    environment: str | None
    outputs_path: Path | None

    def find(self) -> QueueView:
        """Return it. Raises LastmileError when there is none."""
        meant = (self.deployment, self.spec_path, self.target, self.environment, self.outputs_path)
        stack = choose_stack(*meant)
        if stack is None:
            from lastmile_sls.local.queue_view import LocalQueueView

            place = find_deployment(self.deployment, self.spec_path, self.environment)
            return LocalQueueView(place, self.queue)
        from lastmile_sls.control.open import open_control, require_queue

        if self.queue != QUEUE:
            raise LastmileError(f"{stack.deployment} has no queue {self.queue!r}; it has {QUEUE}.")
        return require_queue(stack, open_control(stack))


def where_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which queue is meant, as the argument `where`."""

    @functools.wraps(function)
    def with_where(
        queue: str,
        deployment: str | None,
        spec_path: Path | None,
        target: str,
        environment: str | None,
        outputs_path: Path | None,
        **others: Any,
    ) -> None:
        function(where=Where(queue, deployment, spec_path, target, environment, outputs_path), **others)

    chosen = (
        options.outputs_option,
        options.environment_option,
        options.target_option,
        options.spec_option,
        _deployment_option,
        _queue_argument,
    )
    for option in chosen:
        with_where = option(with_where)
    return with_where


@click.group("queue", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look after the queue of work that waits."""


@command.command("status")
@where_options
@options.json_option
def status(where: Where, as_json: bool) -> None:
    """Say how many messages wait, are worked on, and were set aside."""
    from lastmile_sls.queue_view import status_document, status_lines

    found = where.find().status()
    if as_json:
        options.print_json(status_document(found))
    else:
        click.echo("\n".join(status_lines(found)))


@command.command("peek")
@where_options
@click.option(
    "--count", "-n", type=click.IntRange(1, 100), default=10, show_default=True, help="At most so many."
)
@click.option(
    "--waiting", is_flag=True, help="Those that wait or are worked on, and not those that were set aside."
)
@click.option(
    "--body", "with_body", is_flag=True, help="Show what was sent too; it may hold what callers sent."
)
@options.json_option
def peek(where: Where, count: int, waiting: bool, with_body: bool, as_json: bool) -> None:
    """Look at messages that were set aside, oldest first; they stay where they are."""
    from lastmile_sls.queue_view import message_document, message_lines

    found = where.find().peek(count, waiting=waiting)
    if as_json:
        options.print_json([message_document(message, with_body=with_body) for message in found])
    elif found:
        click.echo("\n".join(message_lines(found, with_body=with_body)))
    else:
        click.echo("no message waits" if waiting else "no message was set aside", err=True)


@command.command("redrive")
@where_options
@options.json_option
def redrive(where: Where, as_json: bool) -> None:
    """Have what the queue set aside delivered once more, after its cause was mended.

    Stopped in the middle, nothing is lost: run it again. A message may then be delivered twice.
    """
    count = where.find().redrive(_tell)
    if as_json:
        options.print_json({"queue": where.queue, "redriven": count})
    else:
        click.echo(f"{count} {'message is' if count == 1 else 'messages are'} delivered once more")


def _tell(so_far: int) -> None:
    if so_far:
        click.echo(f"{so_far} so far", err=True)
