"""What a deployment on a cloud says of itself: its stack's outputs, and the traffic document that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastmile_sls import deploy
from lastmile_sls.build.prepare import Prepared, find_program
from lastmile_sls.engine.interface import Engine, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target

if TYPE_CHECKING:
    from lastmile_sls.traffic.live import LiveTraffic


def read_outputs(
    spec_path: Path, target: Target, environment: str | None, environ: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return the outputs of a spec's stack on a cloud. Raises LastmileError when it is not deployed there."""
    program = find_program(spec_path, target, environment)
    outputs = deploy.get_engine("pulumi", environ).outputs(program)
    if "url" not in outputs:
        raise LastmileError(
            f"{program.project} ({program.stack}) is not deployed.",
            f"Deploy it: lastmile up --target {target}",
        )
    return outputs


def url_of(outputs: Mapping[str, Any]) -> str:
    """Return the endpoint's address."""
    return str(outputs["url"])


def key_of(outputs: Mapping[str, Any], target: Target) -> str:
    """Return the newest API key. Raises LastmileError when the endpoint takes none."""
    key = outputs.get("key")
    if key is None:
        raise LastmileError(
            f"{outputs['deployment']} takes no API key on {target}: endpoint.auth is not key.",
            "See the spec's endpoint.auth.",
        )
    return str(key.reveal() if isinstance(key, Secret) else key)


def check_traffic(prepared: Prepared, engine: Engine) -> None:
    """Raise LastmileError when the spec drops a version that the live traffic of its stack on a cloud still goes to.

    A stack that is not there yet, or routes nothing, has none. Raises LastmileError as well when it cannot be read.
    """
    outputs = engine.outputs(prepared.program)
    if outputs.get("routing"):
        deploy.require_versions(prepared, traffic_of(outputs).read())


def traffic_of(outputs: Mapping[str, Any]) -> LiveTraffic:
    """Return the traffic of a deployment, read and written with the credentials of whoever runs this.

    Raises LastmileError when there is nothing to route.
    """
    from lastmile_runtime.stores import open_store
    from lastmile_sls.traffic.live import LiveTraffic

    url = outputs.get("routing")
    if url is None:
        raise LastmileError(
            f"{outputs['deployment']} has one version, so there is no traffic to move.",
            "Add a version to the spec and run `lastmile up`.",
        )
    folder, _, name = str(url).rpartition("/")
    return LiveTraffic(open_store(folder), name, list(outputs["versions"]))
