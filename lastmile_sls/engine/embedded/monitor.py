"""The two services that a Pulumi program talks to, in front of a `Deployment`.

Carried: custom resources and components, `parent`, `depends_on`, `protect`, `aliases` of resources without
children, `ignore_changes`, `replace_on_changes`, `delete_before_replace`, `additional_secret_outputs`,
`retain_on_delete`, `deleted_with`, `custom_timeouts`, secrets, local files and archives, explicit providers, and the
functions that a provider answers. Everything else is refused by its name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from lastmile_sls.engine.embedded.deployment import Deployment
from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.embedded.request import read_goal
from lastmile_sls.engine.interface import EngineError, Event, OnEvent, Program
from lastmile_sls.engine.properties import from_struct, to_struct
from lastmile_sls.errors import LastmileError

_T = TypeVar("_T")
_EMPTY = empty_pb2.Empty()

_FEATURES = [
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS,
]


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes a program's registrations one at a time and remembers the first failure."""

    def __init__(self, deployment: Deployment, program: Program) -> None:
        self._deployment = deployment
        self._program = program
        self._lock = threading.Lock()
        self._stopped = False
        self.failure: Exception | None = None

    def stop(self) -> None:
        """Refuse every further registration, once the one in progress has ended."""
        self._stopped = True

    def wait(self) -> None:
        """Return when no registration is in progress."""
        with self._lock:
            return

    def GetDeploymentInfo(self, request: Any, context: Any) -> resource_pb2.DeploymentInfo:
        """Claim also what we refuse, so that the refusal is ours and names it."""
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResource(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:
        """Bring a resource to its goal."""
        resource = self._guarded(
            lambda: self._deployment.register(read_goal(request, self._program)), context
        )
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn, id=resource.id, object=to_struct(resource.outputs)
        )

    def RegisterResourceOutputs(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Set a component's or the stack's outputs."""
        outputs = from_struct(request.outputs)
        self._guarded(lambda: self._deployment.register_outputs(request.urn, outputs), context)
        return _EMPTY

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Let the program end at once: no callback of its can be needed later."""
        return _EMPTY

    def ReadResource(self, request: Any, context: Any) -> NoReturn:
        """Refuse `Resource.get`."""
        self._refuse(f"{request.type}.get", context)

    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:
        """Ask a provider's function."""
        program = self._program
        return self._guarded(
            lambda: self._deployment.invoke(
                f"urn:pulumi:{program.stack}::{program.project}::",
                request.tok,
                from_struct(request.args),
                provider=request.provider,
                version=request.version,
            ),
            context,
        )

    def Call(self, request: Any, context: Any) -> NoReturn:
        """Refuse methods of a resource."""
        self._refuse(f"the method {request.tok}", context)

    def RegisterStackTransform(self, request: Any, context: Any) -> NoReturn:
        """Refuse transforms."""
        self._refuse("transforms", context)

    def RegisterStackInvokeTransform(self, request: Any, context: Any) -> NoReturn:
        """Refuse transforms."""
        self._refuse("invoke transforms", context)

    def RegisterResourceHook(self, request: Any, context: Any) -> NoReturn:
        """Refuse hooks."""
        self._refuse(f"the resource hook {request.name}", context)

    def RegisterErrorHook(self, request: Any, context: Any) -> NoReturn:
        """Refuse hooks."""
        self._refuse(f"the error hook {request.name}", context)

    def RegisterPackage(self, request: Any, context: Any) -> NoReturn:
        """Refuse parameterized packages."""
        self._refuse(f"the parameterized package {request.name}", context)

    def _guarded(self, action: Callable[[], _T], context: Any) -> _T:
        with self._lock:
            if self.failure is None and not self._stopped:
                try:
                    return action()
                except Exception as error:  # noqa: BLE001 - the engine raises it again once the program has ended
                    self.failure = error
        context.abort(grpc.StatusCode.UNAVAILABLE, "the engine has stopped")
        raise AssertionError("abort raises")

    def _refuse(self, what: str, context: Any) -> NoReturn:
        def action() -> NoReturn:
            raise refusal(what)

        self._guarded(action, context)
        raise AssertionError("guarded raises")


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes what a program logs, and remembers its root resource and the errors it reported."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._root = ""
        self.errors: list[str] = []

    def Log(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Pass a message on; errors are kept for the end."""
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        elif request.severity != engine_pb2.DEBUG:
            self._on_event(Event("log", urn=request.urn, message=request.message))
        return _EMPTY

    def SetRootResource(self, request: Any, context: Any) -> engine_pb2.SetRootResourceResponse:
        """Note the stack's URN."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> engine_pb2.GetRootResourceResponse:
        """Return the stack's URN."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)


def as_user_error(error: Exception) -> LastmileError:
    """Return the error to show for a failure of a run."""
    return error if isinstance(error, LastmileError) else EngineError(f"{type(error).__name__}: {error}")
