"""A deployment's secrets, in the environment before anything that may ask for them is loaded.

On AWS they are fetched from Secrets Manager. Cloud Run and Azure put them there themselves; where Azure cannot, it leaves
the reference in the value's place (learn.microsoft.com/azure/app-service/app-service-key-vault-references,
"Troubleshoot Key Vault references", read 2026-11-29). No value ever enters a message.
"""

from __future__ import annotations

import os
import time

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from lastmile_runtime.aws import Caller, Service

_DEADLINE_S = 5.0
"""Lambda's init phase has ten seconds, for the model as well."""
_REFERENCE = "@microsoft.keyvault("
_FORM = "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME"
"""NAME is as the secret's owner gave it, without the hyphen and six characters that AWS adds."""


def read_secrets(environ: Mapping[str, str], into: MutableMapping[str, str] = os.environ) -> None:
    """Put the secrets that LASTMILE_SECRETS names into an environment, as they are now.

    Raises BundleError, naming the variable and where its value should have come from, unless every one is there.
    """
    _require_resolved(environ)
    places = _places(environ)
    if not places:
        return
    for name, value in _fetch_all(places, environ).items():
        try:
            into[name] = value
        except ValueError:
            raise BundleError(
                f"the secret of {name}, {places[name]}, has characters that no variable can have."
            ) from None


def _require_resolved(environ: Mapping[str, str]) -> None:
    for variable, value in environ.items():
        if value[: len(_REFERENCE)].lower() == _REFERENCE:
            name = variable.removeprefix("APPSETTING_")  # Azure sets each setting under both names
            raise BundleError(
                f"{name} is still a reference to Key Vault, which Azure could not resolve: the secret must be there, and "
                "the app's identity may read it."
            )


def _places(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the ARN of each variable's secret, as far as its name."""
    try:
        places = jsons.loads(environ.get("LASTMILE_SECRETS") or "{}")
    except ValueError as error:
        raise BundleError(f"LASTMILE_SECRETS is not JSON: {error}.") from None
    if not isinstance(places, dict):
        raise BundleError("LASTMILE_SECRETS must be an object: the ARN of a secret by variable.")
    for name, place in places.items():
        parts = place.split(":", 6) if isinstance(place, str) else []
        if len(parts) != 7 or parts[0] != "arn" or parts[2] != "secretsmanager" or not parts[3]:
            # It is not shown: it may be the secret itself.
            raise BundleError(f"LASTMILE_SECRETS has no ARN of a secret for {name!r}; it must be {_FORM}.")
    return places


def _fetch_all(places: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return each variable's value; they are asked for at once."""
    from lastmile_runtime.aws import Caller, Service

    ends_at = time.monotonic() + _DEADLINE_S
    caller = Caller(environ)
    _require_known(caller, places, ends_at)
    services = {
        region: Service("secretsmanager", region, caller, environ)
        for region in {place.split(":")[3] for place in places.values()}
    }
    found: dict[str, str] = {}
    failures: dict[str, BundleError] = {}

    def fetch(name: str, place: str) -> None:
        try:
            found[name] = _fetch(name, place, services[place.split(":")[3]], ends_at)
        except BundleError as error:
            failures[name] = error

    _run_at_once(fetch, places)
    for name in places:
        if name in failures:
            raise failures[name]
    return found


def _require_known(caller: Caller, places: Mapping[str, str], ends_at: float) -> None:
    """Have the credentials once, before several threads want them."""
    reason = "the environment has no credentials of AWS"
    try:
        if caller.is_known:
            caller.credentials(ends_at)
            return
    except (OSError, ValueError, LookupError) as error:
        reason = f"there are no credentials of AWS: {type(error).__name__}: {error}"
    name, place = next(iter(places.items()))
    raise BundleError(f"the secret of {name}, {place}, cannot be had: {reason}.")


def _fetch(name: str, place: str, service: Service, ends_at: float) -> str:
    """Return a secret's value (docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html)."""
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "secretsmanager.GetSecretValue",
    }
    secret = f"the secret of {name}, {place},"
    try:
        # By its name, not by this ARN: AWS would take a name such as db-secret, with a hyphen and six characters at its
        # end, for a whole ARN, and find nothing
        # (docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html, ARN_secretnamehyphen).
        body = jsons.dumps({"SecretId": place.split(":", 6)[6]}).encode()
        _, content = service.post("/", headers, body, ends_at)
    except OSError as error:
        raise BundleError(f"{secret} cannot be had: {error}.") from error
    try:
        found = jsons.loads(content)
        value, is_binary = found.get("SecretString"), "SecretBinary" in found
    except (ValueError, AttributeError):
        raise BundleError(f"{secret} cannot be had: the answer is not {service.title}'s.") from None
    if is_binary:
        raise BundleError(f"{secret} is binary, but a variable has text: store it as a SecretString.")
    if not isinstance(value, str):
        raise BundleError(f"{secret} has no value.")
    return value


def _run_at_once(fetch: Callable[[str, str], None], places: Mapping[str, str]) -> None:
    if len(places) == 1:
        fetch(*next(iter(places.items())))
        return
    import threading

    threads = [threading.Thread(target=fetch, args=place, daemon=True) for place in places.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
