"""A deployment on a cloud as its stack's outputs tell it: its address, its key, its traffic, where its parts are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastmile_sls import deploy
from lastmile_sls.asked import as_target
from lastmile_sls.build.prepare import Prepared, find_program
from lastmile_sls.engine.interface import Engine, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.cloud import place_of
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.load import load
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.traffic.live import LiveTraffic

_HIDDEN = "[secret]"
"""What `pulumi stack output --json` prints for a secret."""


@dataclass(frozen=True)
class CloudStack:
    """A stack that was deployed."""

    spec: Spec | None
    """None where only the outputs are known."""
    target: Target
    outputs: Mapping[str, Any] = field(repr=False)
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

    @property
    def region(self) -> str | None:
        """Where it is; None where neither the outputs nor the spec say it."""
        place = place_of(self.target, self.spec) if self.spec else None
        return self._text("region") or (place["region"] if place else None)

    @property
    def account(self) -> str | None:
        """AWS's account, Google's project or Azure's subscription, where the outputs say it."""
        return self._text("account")

    @property
    def versions(self) -> tuple[str, ...]:
        """The ids of what is deployed."""
        return tuple(self.outputs.get("versions") or ())

    @property
    def dashboard(self) -> str | None:
        """Where a person opens it."""
        return self._text("dashboard")

    @property
    def schedule(self) -> str | None:
        """The clock's id in the cloud."""
        return self._text("schedule")

    def parts(self, name: str) -> dict[str, str]:
        """Return an output that is a table, such as `functions`, `logs`, `queue` or `alarms`; empty without one."""
        return dict(self.outputs.get(name) or {})

    @property
    def has_key(self) -> bool:
        """Whether the endpoint takes API keys."""
        return self.outputs.get("key") is not None

    @property
    def auth(self) -> str | None:
        """Who may call: key, jwt, iam or public; None where a stack of an older lastmile does not say it."""
        return self._text("auth") or ("key" if self.has_key else None)

    def _text(self, name: str) -> str | None:
        value = self.outputs.get(name)
        return str(value) if value else None

    @property
    def bucket(self) -> str | None:
        """The address of its bucket; None when there is none."""
        return self.outputs.get("bucket")

    def key(self) -> str:
        """Return the newest API key. Raises LastmileError when the endpoint takes none."""
        key = self.outputs.get("key")
        if key is None:
            raise LastmileError(
                f"{self.deployment} takes no API key on {self.target}: endpoint.auth is not key.",
                "See the spec's endpoint.auth.",
            )
        told = str(key.reveal() if isinstance(key, Secret) else key)
        if told == _HIDDEN:
            raise LastmileError(
                f"the outputs of {self.deployment} do not show its API key.",
                "Write them with it, and keep the file private: pulumi stack output --json --show-secrets",
            )
        return told

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
        try:
            store = open_for_deployer(folder, self.environ, self.region)
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


def read_outputs(
    path: Path, target: Target | None, environ: Mapping[str, str], spec: Spec | None = None
) -> CloudStack:
    """Return the stack whose outputs are in a file, as `pulumi stack output --json` prints them.

    Raises LastmileError when it cannot be read, holds no deployment on a cloud, or one on another target than asked for.
    """
    hint = "Write it with: pulumi stack output --json --show-secrets"
    try:
        outputs = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror or error}.", hint) from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON: {error}.", hint) from error
    if not isinstance(outputs, dict) or "url" not in outputs or "deployment" not in outputs:
        raise LastmileError(f"{path} holds no deployment's outputs: deployment and url are missing.", hint)
    found = as_target(str(outputs.get("target", target)))
    if found == "local":
        raise LastmileError(f"{path} is of a deployment on this machine.", "Leave --outputs out.")
    if target not in (None, found):
        raise LastmileError(
            f"{path} is of a deployment on {found}, but --target is {target}.", f"--target {found}"
        )
    return CloudStack(spec, found, outputs, environ)


def check_traffic(prepared: Prepared, engine: Engine, environ: Mapping[str, str]) -> None:
    """Raise LastmileError when the spec drops a version that the live traffic of its stack on a cloud still goes to.

    A stack that is not there yet, or routes nothing, has none. Raises LastmileError as well when it cannot be read.
    """
    outputs = engine.outputs(prepared.program)
    if outputs.get("routing"):
        stack = CloudStack(prepared.spec, prepared.plan["target"], outputs, environ)
        deploy.require_versions(prepared, stack.traffic().read())
