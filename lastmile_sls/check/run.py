"""What is to be checked, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lastmile_sls.check.contract import Contract
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.targets.limits import limit_of

_START_S = 60.0
"""How long a start may take where its target states no limit."""


@dataclass(frozen=True)
class Run:
    """A built bundle, and what its target would run it with."""

    target: Target
    folder: Path
    """The bundle's (see `lastmile_sls.bundle.build`); it is not written to."""
    digest: str
    """The bundle's, `sha256:...`, which is deployed."""
    interpreter: Path
    """A Python of the function's version. Its own packages are not found, but on the local target."""
    memory_mb: int
    timeout_s: float
    """For one answer."""
    routing: Mapping[str, Any]
    """The routing document that the deployment begins with."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the deployment sets; it goes before what is said above."""
    entry: str | None = None
    """What the target is told to run; None where the package itself says it."""
    packages: Path | None = None
    """A folder of packages that the bundle does not bring, as a layer would; the local target has its interpreter's."""
    startup_s: float | None = None
    """How long a start may take until the function can be asked; by default what the target allows."""
    form: Literal["zip", "image"] = "zip"
    """In which the target takes the bundle."""
    contracts: tuple[str, ...] | None = None
    """The names of the contracts to run it under; by default all that the target has."""

    def chosen(self) -> list[Contract]:
        """Return the contracts to run it under. Raises LastmileError for one that the target does not have."""
        known = {contract.name: contract for contract in contracts_of(self.target, self.form)}
        names = known if self.contracts is None else self.contracts
        for name in names:
            if name not in known:
                raise LastmileError(
                    f"contracts has {name!r}, but those of {self.target} are {', '.join(known)}.",
                    "Name one of them, or none for all.",
                )
        return [known[name] for name in names]

    @property
    def longest_startup_s(self) -> float:
        """How long a start is waited for."""
        if self.startup_s is not None:
            return self.startup_s
        limit = limit_of(self.target, "startup")
        return limit.most if limit else _START_S


def contracts_of(target: Target, form: Literal["zip", "image"] = "zip") -> tuple[Contract, ...]:
    """Return the contracts that a target can run a function under that it got in a form."""
    match target:
        case "aws":
            from lastmile_sls.check.aws.contract import BOOTSTRAP, MANAGED

            return (BOOTSTRAP, MANAGED)
        case "gcp":
            from lastmile_sls.check.gcp.contract import CONTAINER

            return (CONTAINER,)
        case "azure" if form == "image":
            from lastmile_sls.check.gcp.contract import CONTAINER_APP

            return (CONTAINER_APP,)
        case "azure":
            from lastmile_sls.check.azure.contract import WORKER

            return (WORKER,)
        case "local":
            from lastmile_sls.check.local.contract import PROCESS

            return (PROCESS,)
