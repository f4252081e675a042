"""A deployment on a cloud as its stack's outputs tell it: its address, its key, its traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastmile_sls import deploy
from lastmile_sls.build.prepare import Prepared, find_program
from lastmile_sls.engine.interface import Engine, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.cloud import place_of
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.load import load
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.traffic.live import LiveTraffic


@dataclass(frozen=True)
class CloudStack:
    """A stack that was deployed."""

    spec: Spec
    target: Target
    outputs: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    """With the credentials of whoever runs this."""

    @property
    def deployment(self) -> str:
        """What resources' names begin with."""
        return str(self.outputs["deployment"])

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return str(self.outputs["url"])

    def key(self) -> str:
        """Return the newest API key. Raises LastmileError when the endpoint takes none."""
        key = self.outputs.get("key")
        if key is None:
            raise LastmileError(
                f"{self.deployment} takes no API key on {self.target}: endpoint.auth is not key.",
                "See the spec's endpoint.auth.",
            )
        return str(key.reveal() if isinstance(key, Secret) else key)

    def traffic(self) -> LiveTraffic:
        """Return the traffic. Raises LastmileError when there is nothing to route, or the store cannot be opened."""
        from lastmile_runtime.stores import StoreError
        from lastmile_sls.delivery.store import open_for_deployer
        from lastmile_sls.traffic.live import LiveTraffic

        url = self.outputs.get("routing")
        if url is None:
            raise LastmileError(
                f"{self.deployment} has one version, so there is no traffic to move.",
                "Add a version to the spec and run `lastmile up`.",
            )
        folder, _, name = str(url).rpartition("/")
        place = place_of(self.target, self.spec)
        try:
            store = open_for_deployer(folder, self.environ, place["region"] if place else None)
        except StoreError as error:
            raise LastmileError(f"the traffic of {self.deployment} cannot be had: {error}.") from error
        return LiveTraffic(store, name, list(self.outputs["versions"]))


def find_stack(
    spec_path: Path, target: Target, environment: str | None, environ: Mapping[str, str]
) -> CloudStack:
    """Return a spec's stack on a cloud. Raises LastmileError when it is not deployed there."""
    program = find_program(spec_path, target, environment)
    outputs = deploy.get_engine("pulumi", environ).outputs(program)
    if "url" not in outputs:
        raise LastmileError(
            f"{program.project} ({program.stack}) is not deployed.",
            f"Deploy it: lastmile up --target {target}",
        )
    return CloudStack(load(spec_path, environment), target, outputs, environ)


def check_traffic(prepared: Prepared, engine: Engine, environ: Mapping[str, str]) -> None:
    """Raise LastmileError when the spec drops a version that the live traffic of its stack on a cloud still goes to.

    A stack that is not there yet, or routes nothing, has none. Raises LastmileError as well when it cannot be read.
    """
    outputs = engine.outputs(prepared.program)
    if outputs.get("routing"):
        stack = CloudStack(prepared.spec, prepared.plan["target"], outputs, environ)
        deploy.require_versions(prepared, stack.traffic().read())
