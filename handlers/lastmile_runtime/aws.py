"""Who a function is to AWS, and how it asks AWS's services: one signed POST each."""

from __future__ import annotations

import time

from lastmile_runtime import jsons
from lastmile_runtime.stores.exchange import Address, Client, told
from lastmile_runtime.stores.http import parse_url
from lastmile_runtime.stores.sigv4 import Credentials, sign

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lastmile_runtime.stores.exchange import Answer

ISSUERS = (b"Amazon", b"Starfield")
"""https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html and amazontrust.com/repository"""
_EARLY_S = 300.0
_CONTAINER = "http://169.254.170.2"
_DOMAINS = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}
"""Of regions that begin so; all others are below amazonaws.com (botocore's endpoints.json, `dnsSuffix`)."""
_SERVICES = {
    "lambda": ("AWS Lambda", "AWS_ENDPOINT_URL_LAMBDA"),
    "secretsmanager": ("AWS Secrets Manager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    "sqs": ("Amazon SQS", "AWS_ENDPOINT_URL_SQS"),
}
"""What a service is called, and the variable with its address where that is another
(docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html)."""


class Caller:
    """Who a function is to AWS: from its environment, or (SnapStart, ECS, EKS) from the address that is named there.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html: a restored function has the address only.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: Credentials | None = None
        relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        self._url = _CONTAINER + relative if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")

    @property
    def is_known(self) -> bool:
        """Whether the environment says it; else boto3 or the library finds out."""
        return bool(self._environ.get("AWS_ACCESS_KEY_ID") or self._url)

    def credentials(self, ends_at: float) -> Credentials:
        """Return credentials that are good for some minutes. Raises OSError or ValueError when there are none."""
        known, environ = self._known, self._environ
        if known and (known.expires_at is None or known.expires_at - time.time() > _EARLY_S):
            return known
        if environ.get("AWS_ACCESS_KEY_ID"):
            token = environ.get("AWS_SESSION_TOKEN")
            return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
        from lastmile_runtime.stores.token import fetch_json

        found = fetch_json(self._url or "", self._headers(), ends_at)
        self._known = Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["Token"], _seconds(found["Expiration"])
        )
        return self._known

    def _headers(self) -> dict[str, str]:
        token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        file = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if file:
            with open(file, encoding="utf-8") as content:  # noqa: PTH123 - pathlib would cost 10 ms of each cold start
                token = content.read().strip()
        return {"authorization": token} if token else {}


class Service:
    """A service of AWS in a region; threads may ask it at once."""

    def __init__(self, name: str, region: str, caller: Caller, environ: Mapping[str, str]) -> None:
        """Ask nothing yet; `name` is the one in the service's host, and by which AWS signs for it."""
        self._name = name
        self._region = region
        self._caller = caller
        self.title, variable = _SERVICES[name]
        endpoint = environ.get(variable) or environ.get("AWS_ENDPOINT_URL")
        host = f"{name}.{region}.{domain(region)}"
        address, self._base = (
            parse_url(endpoint) if endpoint else (Address(host, 443, tls=True, issuers=ISSUERS), "")
        )
        self._client = Client(address)

    def post(
        self, path: str, headers: Mapping[str, str], body: bytes, ends_at: float
    ) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of an answer.

        Args:
            path: Percent-encoded.
            headers: Further headers, their names in lower case.
            body: What is sent.
            ends_at: When it is given up, of `time.monotonic`.

        Raises OSError, with the service's own word for it when it refuses; TimeoutError at `ends_at`.
        """
        place = self._base + path
        try:
            signed = sign(
                self._caller.credentials(ends_at),
                self._region,
                self._client.address.name,
                place,
                time.gmtime(),
                service=self._name,
                method="POST",
                headers=headers,
                body=body,
            )
            answer, content = self._client.fetch(place, {**headers, **signed}, ends_at, "POST", body)
        except (ValueError, LookupError) as error:
            raise ConnectionError(f"{self.title} cannot be asked: {told(error)}") from error
        if answer.status != 200:
            raise OSError(f"{self.title} answered {answer.status}{_code(answer, content)}")
        return answer.headers, content


def domain(region: str) -> str:
    """Return what the hosts of a region's services end with."""
    return _DOMAINS.get(region.partition("-")[0], "amazonaws.com")


def _code(answer: Answer, content: bytes) -> str:
    """Return the service's word for an error; what it says about it has names that are nobody else's business."""
    word = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    if not word:
        try:
            word = str(jsons.loads(content)["__type"]).rpartition("#")[2]
        except (ValueError, LookupError, TypeError):
            return ""
    return f" ({word})" if word.isalnum() else ""


def _seconds(stamp: str) -> float:
    """Return the seconds since the epoch of a time such as 2026-11-24T16:00:00Z."""
    from calendar import timegm

    return timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))
