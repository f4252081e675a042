"""`lastmile bucket`: print where the deployment's files are."""

from __future__ import annotations

from pathlib import Path

import click

from lastmile_sls.cli import options
from lastmile_sls.cli.deployments import find_cloud_stack, find_deployment, name_argument


@click.command("bucket")
@name_argument
@options.spec_option
@options.target_option
@options.environment_option
@options.json_option
def command(
    deployment: str | None, spec_path: Path | None, target: str, environment: str | None, as_json: bool
) -> None:
    """Print where the deployment's bucket is: a folder on this machine, an address such as s3://BUCKET on a cloud."""
    from lastmile_sls.errors import LastmileError
    from lastmile_sls.local import records
    from lastmile_sls.local.resources.bucket import bucket_folder

    if target == "local":
        place = find_deployment(deployment, spec_path, environment)
        told = place.deployment
        bucket = next(
            (str(bucket_folder(place, found.name)) for found in records.all_of(place, "bucket")), None
        )
    else:
        stack = find_cloud_stack(deployment, spec_path, target, environment)
        told, bucket = stack.deployment, stack.bucket
    if bucket is None:
        raise LastmileError(
            f"{told} has no bucket: nothing of it lies in one.",
            "A schedule, a queue, or a second version needs one.",
        )
    if as_json:
        options.print_json({"deployment": told, "bucket": bucket})
    else:
        click.echo(bucket)
