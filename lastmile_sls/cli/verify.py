"""`lastmile verify`: compare what was built, byte for byte, with what the plan names, and see who signed it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from lastmile_sls.cli import options


@click.command("verify")
@options.spec_option
@options.target_option
@options.json_option
def command(spec_path: Path | None, target: str, as_json: bool) -> None:
    """Verify the bundles that `lastmile build` wrote.

    Exits with 1 when one is not as it was built, or not signed as the spec asks.
    """
    from lastmile_sls.asked import as_target, find_spec
    from lastmile_sls.build.prepare import find_plan, find_program
    from lastmile_sls.build.sign import trusted_by, verify_project
    from lastmile_sls.spec.load import load

    path = find_spec(spec_path)
    program = find_program(path, as_target(target))
    plan = find_plan(program, "verify")
    asked = load(path).bundle.signature
    found = verify_project(program.folder, plan, trusted_by(asked, path) if asked else None)
    if as_json:
        options.print_json({"functions": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            if finding.problems:
                click.echo(click.style(f"  ✗ {finding.function}", fg="red"))
                for problem in finding.problems:
                    click.echo(f"    {problem}")
                continue
            signed = f", signed by {finding.signer}" if finding.signer else ""
            click.echo(
                f"  ✓ {finding.function}: {finding.files} files are as they were built{signed}; {finding.digest}"
            )
    if any(finding.problems for finding in found):
        sys.exit(1)
