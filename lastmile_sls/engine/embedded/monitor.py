"""The two services that a Pulumi program talks to, in front of a `Deployment`.

Carried: custom resources and components, `parent`, `depends_on`, `protect`, `aliases` of resources without
children, `ignore_changes` of whole properties, `delete_before_replace`, `additional_secret_outputs`,
`retain_on_delete`, secrets, explicit providers. Everything else is refused by its name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from lastmile_sls.engine.embedded.deployment import STACK_TYPE, Deployment, Goal
from lastmile_sls.engine.embedded.state import Resource
from lastmile_sls.engine.interface import EngineError, Event, OnEvent
from lastmile_sls.engine.properties import (
    SECRET_SIGNATURE,
    from_struct,
    signature,
    to_struct,
)
from lastmile_sls.errors import LastmileError

_T = TypeVar("_T")
_EMPTY = empty_pb2.Empty()

# Request fields that change what a registration means and that we do not carry, by the name users know.
_REFUSED_OPTIONS = {
    "importId": "import_",
    "remote": "a component that a plugin constructs",
    "replaceOnChanges": "replace_on_changes",
    "replace_with": "replace_with",
    "replacement_trigger": "replacement_trigger",
    "deletedWith": "deleted_with",
    "customTimeouts": "custom_timeouts",
    "transforms": "transforms",
    "state_migrations": "state_migrations",
    "packageRef": "a parameterized package",
    "envVarMappings": "env_var_mappings",
}
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


def refusal(what: str) -> EngineError:
    """Return the refusal of something that only the CLI carries."""
    return EngineError(
        f"the program uses {what}, which the embedded engine does not carry.",
        "Run it with the Pulumi CLI: lastmile up --engine pulumi (lastmile doctor says how to get it).",
    )


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes a program's registrations one at a time and remembers the first failure."""

    def __init__(self, deployment: Deployment, project: str, stack: str) -> None:
        self._deployment = deployment
        self._project = project
        self._stack = stack
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
        resource = self._guarded(lambda: self._deployment.register(self._goal(request)), context)
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

    def Invoke(self, request: Any, context: Any) -> NoReturn:
        """Refuse functions of a provider."""
        self._refuse(f"the function {request.tok}", context)

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

    def _goal(self, request: Any) -> Goal:
        _refuse_options(request)
        inputs = from_struct(request.object)
        _refuse_special_values(request.name, inputs)
        resource = Resource(
            urn=f"urn:pulumi:{self._stack}::{self._project}::"
            f"{_qualified_type(request.parent, request.type)}::{request.name}",
            custom=request.custom,
            type=request.type,
            inputs=inputs,
            parent=request.parent,
            protect=request.protect,
            dependencies=tuple(request.dependencies),
            provider=request.provider,
            property_dependencies={k: list(v.urns) for k, v in request.propertyDependencies.items()},
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            retain_on_delete=request.retainOnDelete,
        )
        return Goal(
            resource,
            request.version,
            request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            tuple(request.ignoreChanges),
            tuple(self._alias(request, alias) for alias in request.aliases),
        )

    def _alias(self, request: Any, alias: Any) -> str:
        """Return the URN that an alias stands for: what it does not say is as the resource has it."""
        if alias.urn:
            return str(alias.urn)
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        stack, project = spec.stack or self._stack, spec.project or self._project
        qualified = _qualified_type(parent, spec.type or request.type)
        return f"urn:pulumi:{stack}::{project}::{qualified}::{spec.name or request.name}"

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


def _qualified_type(parent: str, type_token: str) -> str:
    parent_type = parent.split("::")[2] if parent else ""
    return f"{parent_type}${type_token}" if parent_type not in ("", STACK_TYPE) else type_token


def _refuse_options(request: Any) -> None:
    given = {field.name for field, _ in request.ListFields()}
    for field, name in _REFUSED_OPTIONS.items():
        if field in given:
            raise refusal(f"{name} on {request.type} {request.name}")
    if "hooks" in given and request.hooks.ByteSize():
        raise refusal(f"hooks on {request.type} {request.name}")
    for path in request.ignoreChanges:
        if not path.isidentifier():
            raise refusal(f"ignore_changes of a part of a property ({path}) on {request.name}")


def _refuse_special_values(name: str, value: Any) -> None:
    kind = signature(value)
    if kind is not None and kind != SECRET_SIGNATURE:
        raise refusal(f"an asset or a reference among the inputs of {name}")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_special_values(name, item)


def as_user_error(error: Exception) -> LastmileError:
    """Return the error to show for a failure of a run."""
    return error if isinstance(error, LastmileError) else EngineError(f"{type(error).__name__}: {error}")
