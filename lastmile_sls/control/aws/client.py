"""boto3's clients for a deployment, and what their errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.refusals import Asked, no_sdk
from lastmile_sls.errors import LastmileError

ATTEMPTS = 5
_CONNECT_S, _READ_S = 5.0, 30.0
_MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "RepositoryNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
_EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
"""These and those above: docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, and what botocore's "standard"
retries wait for (docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html; read 2026-11-29)."""


class Aws:
    """The account and region of a deployment."""

    def __init__(self, stack: CloudStack) -> None:
        """Raises LastmileError when boto3 is not installed, or the profile that is asked for is not there."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError as error:
            raise no_sdk("aws", "boto3") from error
        self.stack = stack
        self.region = stack.region or _region_of(stack.parts("functions"))
        self.account = stack.account or _account_of(stack.parts("functions"))
        self.asked = Asked("aws", stack.deployment, self.region, self.account)
        self._config = Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        try:
            self._session = boto3.Session(region_name=self.region)
        except BotoCoreError as error:
            raise self.asked.expired(str(error)) from error
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service, the same one each time."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=self._config)
        return self._clients[service]

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Tell what goes wrong within as LastmileError; MissingError when `what` is not there."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise self._refusal(what, error) from error
        except BotoCoreError as error:
            raise self._broken(what, error) from error

    def _refusal(self, what: str, error: Any) -> LastmileError:
        code = error.response.get("Error", {}).get("Code", "")
        said = f"{error.response.get('Error', {}).get('Message', '')} ({code})".strip()
        if code in _EXPIRED:
            return self.asked.expired(said)
        if code in _DENIED:
            return self.asked.denied(what, said)
        if code in _MISSING:
            return self.asked.missing(what, said, self._other_account())
        if code in _THROTTLED:
            return self.asked.throttled(what, said)
        return self.asked.failed(what, said)

    def _broken(self, what: str, error: Exception) -> LastmileError:
        from botocore import exceptions

        nobody = (
            exceptions.CredentialRetrievalError,
            exceptions.NoAuthTokenError,
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.ProfileNotFound,
            exceptions.SSOError,
            exceptions.TokenRetrievalError,
        )
        if isinstance(error, nobody):
            return self.asked.expired(str(error))
        if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
            return self.asked.unreachable(what, str(error))
        return self.asked.failed(what, str(error))

    def _other_account(self) -> str | None:
        """Return the account of the credentials, when it is not the deployment's."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self.account is None:
            return None
        try:
            found = str(self.client("sts").get_caller_identity()["Account"])
        except (BotoCoreError, ClientError):
            return None
        return found if found != self.account else None


def _region_of(functions: dict[str, str]) -> str | None:
    return next((arn.split(":")[3] for arn in functions.values() if arn.count(":") >= 6), None)


def _account_of(functions: dict[str, str]) -> str | None:
    return next((arn.split(":")[4] for arn in functions.values() if arn.count(":") >= 6), None)
