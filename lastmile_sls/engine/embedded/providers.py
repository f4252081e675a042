"""The resource providers of a run: which serves a resource, made and configured on first use."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from lastmile_sls.engine.embedded.state import Resource, now
from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import Properties, to_struct

ProviderFactory = Callable[[], ResourceProviderServicer]
PROVIDER_TYPE = "pulumi:providers:"


def package_of(type_token: str) -> str:
    """Return the package of a resource type, `lastmile` for `lastmile:local:Function`."""
    return type_token.split(":", 1)[0]


def default_urn(prefix: str, package: str, version: str) -> str:
    """Return the URN that Pulumi gives the default provider of a package."""
    suffix = f"_{version.replace('.', '_')}" if version else ""
    return f"{prefix}{PROVIDER_TYPE}{package}::default{suffix}"


def new_entry(urn: str, inputs: Properties) -> Resource:
    """Make the state's entry for a provider, as the CLI writes it."""
    stamp = now()
    return Resource(
        urn=urn,
        custom=True,
        type=urn.split("::")[-2],
        id=str(uuid.uuid4()),
        inputs=inputs,
        outputs=inputs,
        created=stamp,
        modified=stamp,
    )


class Providers:
    """Hands out one configured provider per provider resource."""

    def __init__(
        self, factories: Mapping[str, ProviderFactory], config: Mapping[str, Any] | None = None
    ) -> None:
        """Make providers with the factory of their package; `config` is the stack's, its secrets marked."""
        self._factories = factories
        self._config = config or {}
        self._configured: dict[str, Any] = {}

    def carries(self, package: str) -> bool:
        """Whether there is a provider of the package."""
        return package in self._factories

    def default_inputs(self, package: str, version: str) -> Properties:
        """Return the inputs of a package's default provider: what the stack's configuration says of the package."""
        configured = {
            key.rpartition(":")[2]: value
            for key, value in self._config.items()
            if key.partition(":")[0] == package
        }
        return {**configured, "version": version} if version else configured

    def require(self, package: str) -> None:
        """Raise EngineError unless the embedded engine carries the package."""
        if not self.carries(package):
            carried = ", ".join(sorted(self._factories))
            raise EngineError(
                f"the program uses resources of the package {package}; the embedded engine carries {carried} only.",
                "Run it with the Pulumi CLI: lastmile up --engine pulumi (lastmile doctor says how to get it).",
            )

    def get(self, reference: str, inputs: Properties) -> Any:
        """Return the provider for a reference (`<urn>::<id>`), configured with its resource's inputs.

        A ResourceProviderServicer, called directly and not through gRPC, which its generated types cannot say.
        """
        provider = self._configured.get(reference)
        if provider is None:
            package = reference.split("::")[2].rpartition("$")[2].removeprefix(PROVIDER_TYPE)
            self.require(package)
            provider = cast("Any", self._factories[package]())
            provider.Handshake(wire.ProviderHandshakeRequest(), None)
            arguments = to_struct(inputs)
            provider.Configure(
                wire.ConfigureRequest(args=arguments, acceptSecrets=True, acceptResources=True),
                None,
            )
            self._configured[reference] = provider
        return provider
