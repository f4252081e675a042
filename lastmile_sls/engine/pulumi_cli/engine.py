"""The Pulumi CLI's three verbs behind the engine interface."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import psutil
import yaml
from pulumi import automation
from pulumi.automation.events import EngineEvent

from lastmile_sls.engine import retention
from lastmile_sls.engine.interface import (
    EngineError,
    EngineName,
    Event,
    LockedError,
    OnEvent,
    Program,
    Result,
    Secret,
    Standing,
)
from lastmile_sls.engine.pulumi_cli.backend import Backend, choose_backend
from lastmile_sls.engine.pulumi_cli.command import find_command
from lastmile_sls.engine.pulumi_cli.events import changes, errors, translate

_T = TypeVar("_T")


class PulumiCliEngine:
    """Carries every target, with the CLI found on PATH; state in the user's backend or in a local folder."""

    name: EngineName = "pulumi"

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._home = home
        self._environ = environ

    def preview(self, program: Program, on_event: OnEvent) -> Result:
        """Say what `up` would do; the stack is made when it is not there, because the CLI needs one."""
        stack = self._stack(program, on_event)
        result = _run(lambda sink: stack.preview(on_event=sink, color="never"), on_event, preview=True)
        return Result(changes(result.change_summary), {})

    def up(self, program: Program, on_event: OnEvent) -> Result:
        """Make the stack what the program says."""
        stack = self._stack(program, on_event)
        result = _run(lambda sink: stack.up(on_event=sink, color="never"), on_event, preview=False)
        return Result(changes(result.summary.resource_changes or {}), _shown(result.outputs))

    def destroy(self, program: Program, on_event: OnEvent, *, data: bool = False) -> Result:
        """Delete every resource of the stack, and the stack; with `data`, also what it retains, and all that is in it."""
        stack = self._stack(program, on_event)
        if data:
            _import(stack, retention.unretained(_export(stack)))
        result = _run(lambda sink: stack.destroy(on_event=sink, color="never"), on_event, preview=False)
        stack.workspace.remove_stack(program.stack)
        return Result(changes(result.summary.resource_changes or {}), {})

    def exists(self, program: Program) -> bool:
        """Whether the backend has the stack; a backend that only the CLI can read is not asked without the CLI."""
        backend = self._backend(program)
        there = backend.has_stack(program)
        if there is None:
            try:
                stacks = self._workspace(program, backend).list_stacks()
            except EngineError:
                return False
            found = [summary for summary in stacks if summary.name.rsplit("/", 1)[-1] == program.stack]
            return any(summary.resource_count != 0 for summary in found)
        return there

    def resources(self, program: Program) -> tuple[Standing, ...]:
        """Return the resources that stand."""
        return retention.standing(self._state(program))

    def retained(self, program: Program) -> tuple[Standing, ...]:
        """Return those of them that a destroy leaves standing."""
        return retention.retained(self._state(program))

    def outputs(self, program: Program) -> Mapping[str, Any]:
        """Return the stack's outputs as of the last run."""
        return _shown(self._stack(program, _ignore).outputs()) if self.exists(program) else {}

    def export_state(self, program: Program) -> dict[str, Any]:
        """Return the stack in Pulumi's deployment format, secrets in plain text."""
        state = _export(self._stack(program, _ignore))
        state["deployment"].pop("secrets_providers", None)
        return state

    def adopt_state(self, program: Program, state: dict[str, Any]) -> None:
        """Take over a stack that the embedded engine exported; its secrets are encrypted on the way in."""
        stack = self._stack(program, _ignore)
        _import(stack, with_secrets_provider(program, state))

    def forget(self, program: Program) -> None:
        """Drop the stack without touching its resources."""
        self._stack(program, _ignore).workspace.remove_stack(program.stack, force=True)

    def _state(self, program: Program) -> dict[str, Any]:
        empty: dict[str, Any] = {"deployment": {}}
        return self.export_state(program) if self.exists(program) else empty

    def _backend(self, program: Program) -> Backend:
        return choose_backend(program, self._environ, self._home)

    def _workspace(self, program: Program, backend: Backend) -> automation.LocalWorkspace:
        return automation.LocalWorkspace(
            work_dir=str(program.folder),
            env_vars=dict(backend.environment),
            pulumi_command=find_command(search_path=self._environ.get("PATH")),
        )

    def _stack(self, program: Program, on_event: OnEvent) -> automation.Stack:
        backend = self._backend(program)
        workspace = self._workspace(program, backend)
        try:
            stack = automation.Stack.create_or_select(program.stack, workspace)
            config = {
                key: automation.ConfigValue(value, secret=key in program.secret_config)
                for key, value in program.config.items()
            }
            if config:
                stack.set_all_config(config)
        except automation.CommandError as error:
            raise EngineError(f"the Pulumi CLI could not open the stack {program.stack}.\n{error}") from error
        _clear_dead_locks(stack, backend, program, on_event)
        return stack


def with_secrets_provider(program: Program, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state with the secrets provider of the stack's settings file, as `pulumi stack import` needs it.

    Raises EngineError when `pulumi stack init` has not been run yet.
    """
    path = program.folder / f"Pulumi.{program.stack}.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}
    if "encryptionsalt" in settings and "secretsprovider" not in settings:
        provider = {"type": "passphrase", "state": {"salt": settings["encryptionsalt"]}}
    elif "encryptedkey" in settings:
        cloud = {"url": settings["secretsprovider"], "encryptedkey": settings["encryptedkey"]}
        provider = {"type": "cloud", "state": cloud}
    else:
        raise EngineError(
            f"{path} names no secrets provider, so the stack's secrets cannot be handed over.",
            f"First make the stack: cd {program.folder} && pulumi stack init {program.stack} "
            "--secrets-provider passphrase",
        )
    return {**state, "deployment": {**state["deployment"], "secrets_providers": provider}}


def _export(stack: automation.Stack) -> dict[str, Any]:
    deployment = stack.export_stack()
    return {"version": deployment.version, "deployment": deployment.deployment}


def _import(stack: automation.Stack, state: dict[str, Any]) -> None:
    try:
        stack.import_stack(automation.Deployment(**state))
    except automation.CommandError as error:
        raise EngineError(f"the Pulumi CLI could not take in the stack's state.\n{error}") from error


def _run(command: Callable[[Callable[[EngineEvent], None]], _T], on_event: OnEvent, *, preview: bool) -> _T:
    seen: list[EngineEvent] = []

    def sink(event: EngineEvent) -> None:
        seen.append(event)
        ours = translate(event, preview=preview)
        if ours:
            on_event(ours)

    with _forwarded_interrupt() as interrupted:
        try:
            return command(sink)
        except automation.ConcurrentUpdateError as error:
            raise LockedError(
                "another run of this stack is in progress.",
                "Wait until it ends; if it is dead, run `pulumi cancel` in the project's folder.",
            ) from error
        except automation.CommandError as error:
            if interrupted.is_set():
                raise EngineError(
                    "stopped before the end; the steps in progress were completed and noted.",
                    "Run again to go on from there.",
                ) from error
            raise EngineError(errors(seen) or f"the Pulumi CLI failed.\n{error}") from error


def _clear_dead_locks(stack: automation.Stack, backend: Backend, program: Program, on_event: OnEvent) -> None:
    locks = backend.locks(program)
    for lock in locks:
        if lock.alive:
            raise LockedError(
                f"another run of this stack is in progress (pid {lock.pid} since {lock.since}).",
                "Wait until it ends, or stop it.",
            )
    if locks:
        stack.cancel()
        dead = ", ".join(str(lock.pid) for lock in locks)
        on_event(Event("log", message=f"cleared the lock of a run that is dead (pid {dead})"))


@contextlib.contextmanager
def _forwarded_interrupt() -> Iterator[threading.Event]:
    """Let the CLI end in its own way on ctrl-C: it has the terminal's signal already, or we pass it on."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not interrupted.is_set() and not (number == signal.SIGINT and sys.stdin.isatty()):
            for child in psutil.Process().children():
                child.send_signal(signal.SIGINT)
        interrupted.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(outputs: automation.OutputMap) -> dict[str, Any]:
    return {key: Secret(o.value) if o.secret else o.value for key, o in outputs.items()}


def _ignore(event: Event) -> None:
    return None
