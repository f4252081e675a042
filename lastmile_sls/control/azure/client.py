"""Azure's clients for a deployment, and what their errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.refusals import Asked, no_sdk
from lastmile_sls.delivery.azure_login import MANAGEMENT, credential
from lastmile_sls.errors import LastmileError

ATTEMPTS = 5
_CONNECT_S, _READ_S = 5.0, 60.0
_MANAGER = "https://management.azure.com"
_CLIENTS = {
    "web": ("azure.mgmt.web", "WebSiteManagementClient", "azure-mgmt-web"),
    "app": ("azure.mgmt.appcontainers", "ContainerAppsAPIClient", "azure-mgmt-appcontainers"),
    "alerts": ("azure.mgmt.alertsmanagement", "AlertsManagementClient", "azure-mgmt-alertsmanagement"),
    "logs": ("azure.monitor.query", "LogsQueryClient", "azure-monitor-query"),
    "queue": ("azure.storage.queue", "QueueClient", "azure-storage-queue"),
}


@dataclass(frozen=True)
class ResourceId:
    """`/subscriptions/S/resourceGroups/G/providers/P/T/NAME`."""

    subscription: str
    group: str
    kind: str
    """Provider and type in lower case, such as `microsoft.web/sites`."""
    name: str

    @classmethod
    def read(cls, text: str) -> ResourceId:
        """Return a resource id's parts. Raises LastmileError."""
        parts = text.strip("/").split("/")
        if len(parts) < 8 or [parts[i].lower() for i in (0, 2, 4)] != [
            "subscriptions",
            "resourcegroups",
            "providers",
        ]:
            raise LastmileError(f"the stack's outputs have {text!r}, which is no resource id of Azure's.")
        return cls(parts[1], parts[3], f"{parts[5]}/{parts[6]}".lower(), parts[7])


class Azure:
    """The subscription of a deployment."""

    def __init__(
        self, stack: CloudStack, options: Mapping[str, Any] | None = None, login: Any = None
    ) -> None:
        """Log in as Azure's own tools do, unless it is said with what.

        Args:
            stack: The deployment.
            options: For each client of azure-core's, such as a transport.
            login: A credential.

        Raises LastmileError when azure-identity is not installed.
        """
        ids = [ResourceId.read(id_) for id_ in stack.parts("functions").values()]
        self.stack = stack
        self.subscription = stack.account or next((id_.subscription for id_ in ids), "")
        self.asked = Asked("azure", stack.deployment, stack.region, self.subscription)
        self._login = login or credential(stack.environ)
        self._options = {
            "connection_timeout": _CONNECT_S,
            "read_timeout": _READ_S,
            "retry_total": ATTEMPTS - 1,
            "retry_status": ATTEMPTS - 1,
            **(options or {}),
        }
        self._made: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """Return a management client, or that of Log Analytics, the same one each time. Raises LastmileError."""
        if name not in self._made:
            client = _class(name)
            arguments = (self._login,) if name == "logs" else (self._login, self.subscription)
            self._made[name] = client(*arguments, **self._options)
        return self._made[name]

    def read(self, what: str, path: str, api_version: str) -> dict[str, Any]:
        """Return what Resource Manager answers for a path, such as a resource's id.

        Raises LastmileError; MissingError when `what` is not there.
        """
        with self.asking(what):
            from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, map_error
            from azure.core.rest import HttpRequest

            request = HttpRequest("GET", f"{_MANAGER}{path}", params={"api-version": api_version})
            answer = self._manager().send_request(request)
            if answer.status_code != 200:
                map_error(answer.status_code, answer, {401: ClientAuthenticationError})
                raise HttpResponseError(response=answer)
            found: dict[str, Any] = answer.json()
            return found

    def _manager(self) -> Any:
        """Return a client of Resource Manager for what no management client is needed for, the same one each time."""
        from azure.core.pipeline import policies
        from azure.mgmt.core import ARMPipelineClient
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        if "manager" not in self._made:
            steps = [
                policies.UserAgentPolicy("lastmile", **self._options),
                policies.ProxyPolicy(**self._options),
                policies.RedirectPolicy(**self._options),
                policies.RetryPolicy(**self._options),
                ARMChallengeAuthenticationPolicy(self._login, MANAGEMENT),
            ]
            self._made["manager"] = ARMPipelineClient(_MANAGER, policies=steps, **self._options)
        return self._made["manager"]

    def queue(self, url: str) -> Any:
        """Return the client of a storage queue, which takes the account's key where the environment has it."""
        login = self.stack.environ.get("AZURE_STORAGE_ACCOUNT_KEY") or self._login
        if isinstance(login, str):
            login = {"account_name": _account(url), "account_key": login}
        return _class("queue").from_queue_url(url, credential=login, **self._options)

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Tell what goes wrong within as LastmileError; MissingError when `what` is not there."""
        from azure.core import exceptions

        try:
            yield
        except exceptions.HttpResponseError as error:
            raise self._refusal(what, error) from error
        except (exceptions.ServiceRequestError, exceptions.ServiceResponseError) as error:
            raise self.asked.unreachable(what, str(error.message)) from error
        except exceptions.AzureError as error:
            raise self.asked.failed(what, str(error.message)) from error

    def _refusal(self, what: str, error: Any) -> LastmileError:
        from azure.core.exceptions import ClientAuthenticationError

        said = str(error.message).removeprefix("(").replace(") ", ": ", 1)
        match error.status_code:
            case 403:
                return self.asked.denied(what, said)
            case 404:
                return self.asked.missing(what, said)
            case 429:
                return self.asked.throttled(what, said)
            case 401 | None if isinstance(error, ClientAuthenticationError):
                return self.asked.expired(said)
            case _:
                return self.asked.failed(what, said)


def _account(url: str) -> str:
    """Return the storage account of a queue's URL; Azurite has it in the path."""
    parts = urlsplit(url)
    return parts.path.split("/")[1] if parts.scheme == "http" else parts.netloc.partition(".")[0]


def _class(name: str) -> Any:
    module, client, package = _CLIENTS[name]
    try:
        return getattr(import_module(module), client)
    except ImportError as error:
        raise no_sdk("azure", package) from error
