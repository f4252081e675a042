"""`Package`: code, as a zip, to a function app of Azure's Flex Consumption plan."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lastmile_runtime.manifest import FILE
from lastmile_sls.bundle.oci.descriptor import DIGEST, digest_of
from lastmile_sls.delivery.azure_login import MANAGEMENT, azure_token
from lastmile_sls.delivery.patience import Patience
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import STRING, Schema, described

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Token = Callable[[], str]


class Package(ResourceType):
    """The digest says what the app has: while it is the same, nobody is asked anything."""

    schema = Schema(
        token="lastmile:index:Package",  # noqa: S106 - a type's name
        description="Code, as a zip, to a function app of Azure's Flex Consumption plan.",
        inputs={
            "source": described(STRING, "The zip that `lastmile build` wrote. What counts is its digest."),
            "digest": described(STRING, "The digest of the bundle that it holds."),
            "app": described(STRING, "The function app's name.", replaces=True),
            "scmUrl": described(
                STRING, "Its deployment service, https://APP.scm.azurewebsites.net.", replaces=True
            ),
        },
        outputs={"deployment": described(STRING, "What the app calls the deployment.")},
        not_compared=frozenset({"source"}),
    )

    def __init__(self, environ: Mapping[str, str], patience: Patience, token: Token | None = None) -> None:
        self._environ = environ
        self._patience = patience
        self._token = token

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """The digest must be one, and the token that we send must be encrypted on its way."""
        wrong = []
        digest, url = inputs.get("digest"), inputs.get("scmUrl")
        if digest is not None and not DIGEST.fullmatch(str(digest)):
            wrong.append(("digest", f"digest is {digest!r}, but must be sha256: and 64 hexadecimal digits."))
        if url is not None and not _is_safe(str(url)):
            wrong.append(("scmUrl", f"scmUrl is {url!r}, but must be https:// and a host."))
        return wrong

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Deploy it, and wait until it is."""
        from lastmile_sls.delivery.one_deploy import OneDeploy

        source = Path(str(inputs["source"]))
        _require_bundle(source, str(inputs["digest"]))
        token = self._token or self._azure_token()
        with OneDeploy(str(inputs["app"]), str(inputs["scmUrl"]), token, self._patience) as service:
            return inputs["app"], {"deployment": service.deploy(source)}

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Deploy it over what is there."""
        return self.create(urn, inputs)[1]

    def read(self, state: State) -> tuple[Values, Values]:
        """Return what the state says; an app does not say which bundle it has."""
        if not state.outputs.get("digest"):
            raise LastmileError(
                f"the package {state.id} cannot be imported.",
                "Leave it out of the import: the next up deploys it.",
            )
        inputs = {name: value for name, value in state.outputs.items() if name in self.schema.inputs}
        return inputs, state.outputs

    def delete(self, state: State) -> None:
        """Do nothing: the code goes with its app."""

    def _azure_token(self) -> Token:
        fetch = azure_token(self._environ, MANAGEMENT)
        return lambda: fetch().token


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _require_bundle(source: Path, digest: str) -> None:
    """Raise LastmileError unless the zip is there and holds the bundle of the digest."""
    hint = "Build the project again: lastmile build."
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = archive.read(FILE)
    except FileNotFoundError as error:
        raise LastmileError(f"there is no {source}.", hint) from error
    except (OSError, zipfile.BadZipFile) as error:
        raise LastmileError(f"{source} cannot be read: {error}.", hint) from error
    except KeyError as error:
        raise LastmileError(f"{source} is no bundle: it has no {FILE}.", hint) from error
    held = digest_of(manifest)
    if held != digest:
        raise LastmileError(f"{source} holds the bundle {held}, but digest is {digest}.", hint)
