"""`lastmile smoke`: call a deployed endpoint as a client would."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import choose_stack, find_deployment, name_argument
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from lastmile_sls.check.checked import Check
    from lastmile_sls.control.smoke_answers import Certified

FORMAT = "lastmile.smoke/1"
_TOKEN = "LASTMILE_TOKEN"  # noqa: S105 - a variable's name
_WORDS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
_COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow"}
_WIDTH = 24


@dataclass(frozen=True)
class Tested:
    """The endpoint that is meant."""

    deployment: str
    target: str
    url: str
    versions: tuple[str, ...]
    has_queue: bool
    key: str | None = field(repr=False)


@click.command("smoke")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.outputs_option
@click.option(
    "--wait",
    "ready_s",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    help="Seconds until it is ready.",
)
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML to this file."
)
@options.json_option
def command(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
    ready_s: float,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Call the endpoint as a client would: is it ready, does each version answer as certified, are strangers refused?

    The certified answers are those of the bundles that were built for this spec here. With endpoint.auth jwt or iam, the
    variable LASTMILE_TOKEN has the token to call with. Exits with 1 when a check failed.
    """
    from lastmile_sls import deploy
    from lastmile_sls.control.caller import Caller
    from lastmile_sls.control.smoke import Patience, Smoke

    tested = _find(deployment, spec_path, target, environment, outputs_path)
    certified = _certified(spec_path, tested.target, environment)
    smoke = Smoke(
        Caller(tested.url, _headers(tested, deploy.environ())),
        tested.versions,
        certified,
        has_key=tested.key is not None,
        has_queue=tested.has_queue,
        patience=Patience(ready_s=ready_s),
    )
    if not as_json:
        click.echo(f"{tested.deployment}, {tested.target}: {tested.url}")
    checks = []
    for check in smoke.run():
        checks.append(check)
        if not as_json:
            _show(check)
    _finish(tested, checks, junit, as_json=as_json)


def _finish(tested: Tested, checks: list[Check], junit: Path | None, *, as_json: bool) -> None:
    if junit is not None:
        _write_junit(tested, checks, junit)
    failed = sum(check.status == "failed" for check in checks)
    if as_json:
        options.print_json(_document(tested, checks))
    else:
        click.echo(f"{failed} of {len(checks)} checks failed" if failed else "all checks passed")
    if failed:
        sys.exit(1)


def _find(
    deployment: str | None,
    spec_path: Path | None,
    target: str,
    environment: str | None,
    outputs_path: Path | None,
) -> Tested:
    stack = choose_stack(deployment, spec_path, target, environment, outputs_path)
    if stack is not None:
        key = stack.key() if stack.has_key else None
        queue = bool(stack.parts("queue"))
        return Tested(stack.deployment, stack.target, stack.url, stack.versions, queue, key)
    from lastmile_sls.local.status import read_key, read_status

    place = find_deployment(deployment, spec_path, environment)
    status = read_status(place)
    if status.url is None:
        raise LastmileError(f"{status.deployment} has no endpoint.", "Finish its deployment: lastmile up")
    versions = tuple(version for function in status.functions for version in function.weights)
    key = read_key(place) if status.auth == "key" else None
    return Tested(status.deployment, "local", status.url, versions, bool(status.queues), key)


def _certified(spec_path: Path | None, target: str, environment: str | None) -> Certified | None:
    """Return the certified answers of the spec's project for the target; None, said aloud, when there are none here."""
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_program
    from lastmile_sls.control.smoke_answers import read_certified

    try:
        return read_certified(find_program(find_spec(spec_path), as_target(target), environment).folder)
    except LastmileError as error:
        click.echo(f"{error.message} {error.hint}".strip(), err=True)
        return None


def _headers(tested: Tested, environ: Mapping[str, str]) -> dict[str, str]:
    if tested.key is not None:
        return {"x-api-key": tested.key}
    token = environ.get(_TOKEN)
    return {"authorization": f"Bearer {token}"} if token else {}


def _show(check: Check) -> None:
    word = click.style(f"{_WORDS[check.status]:<8}", fg=_COLOURS[check.status])
    click.echo(f"  {word}{check.name:<{_WIDTH}} {check.duration_s * 1000:>6.0f} ms  {check.message}")
    if check.advice:
        click.echo(f"{'':10}{check.advice}")


def _document(tested: Tested, checks: list[Check]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "passed": not any(check.status == "failed" for check in checks),
        "deployment": tested.deployment,
        "target": tested.target,
        "url": tested.url,
        "checks": [
            {
                "name": check.name,
                "status": check.status,
                "message": check.message,
                "advice": check.advice,
                "duration_s": round(check.duration_s, 3),
            }
            for check in checks
        ],
    }


def _write_junit(tested: Tested, checks: list[Check], path: Path) -> None:
    from lastmile_sls.check.junit import render_suite

    facts = {"target": tested.target, "deployment": tested.deployment, "url": tested.url}
    text = render_suite(
        "lastmile smoke", f"{tested.deployment} smoke", f"lastmile.smoke.{tested.deployment}", facts, checks
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LastmileError(f"{path} cannot be written: {error.strerror or error}.") from error
