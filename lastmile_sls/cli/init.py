"""`lastmile init`: look at a model file and write a spec for it."""

from __future__ import annotations

import getpass
import json
import os
import re
from pathlib import Path

import click

from lastmile_sls.cli import options

_TRUST = "Load a pickle whatever it does. It may run any code on this machine, so only for a file that you made yourself."


@click.command("init")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--sample",
    type=click.Path(path_type=Path),
    help="A CSV file with a header and rows as the model takes them.",
)
@click.option("--name", help="The model's name. Default: the file's name.")
@click.option("--owner", help="Who answers for it. Default: you.")
@click.option("--cost-center", default="unassigned", show_default=True, help="Who pays for it.")
@click.option("--entry", help="The class, in a Python file that has several.")
@click.option("--trust", is_flag=True, help=_TRUST)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("lastmile.yaml"),
    show_default=True,
)
@click.option("--force", is_flag=True, help="Replace a spec that is there.")
@options.json_option
def command(
    model: Path,
    sample: Path | None,
    name: str | None,
    owner: str | None,
    cost_center: str,
    entry: str | None,
    trust: bool,
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Look at a model file and write a spec for it: framework, inputs, outputs, ranges. Nothing in the file is run."""
    from lastmile_sls.cli.invocation import invocation
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.inspection.inspect import inspect
    from lastmile_sls.spec.draft import draft
    from lastmile_sls.spec.schema import json_schema
    from lastmile_sls.spec.write import to_yaml

    if output.exists() and not force:
        raise LastmileError(
            f"{output} is there already.", "Edit it, name another with -o, or replace it with --force."
        )
    facts = inspect(model, sample=sample, trust=trust, entry=entry)
    folder = output.absolute().parent
    spec = draft(
        facts,
        name=name or _name(model),
        owner=owner or getpass.getuser(),
        cost_center=cost_center,
        artifact=os.path.relpath(model, folder),
        sample=os.path.relpath(sample, folder) if sample else None,
        trusted=trust and facts.framework == "sklearn",
    )
    schema = folder / "lastmile.schema.json"
    schema.write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")
    output.write_text(to_yaml(spec, schema.name), encoding="utf-8")
    if as_json:
        options.print_json(
            {"spec": str(output), "notes": facts.notes, "content": spec.model_dump(mode="json")}
        )
        return
    made_with = f" {facts.framework_version}" if facts.framework_version else ""
    click.echo(
        f"{model.name}: {facts.framework}{made_with}, {len(facts.inputs)} inputs, {len(facts.outputs)} outputs"
    )
    for note in facts.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"wrote {output} and {schema.name}")
    click.echo(f"\nnext: {invocation('up', None if output == Path('lastmile.yaml') else output)}", err=True)


def _name(model: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", model.stem.lower()).strip("-")[:40].strip("-")
    return name if name[:1].isalpha() else f"model-{name}".strip("-")
