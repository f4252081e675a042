"""A prediction, whatever the protocol: contract, then router, then model, and a receipt that says what answered."""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime import router, signature, table
from lastmile_runtime.errors import RequestError
from lastmile_runtime.router import Choice
from lastmile_runtime.statistics import Statistics

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable, Sequence
    from typing import Any

    from lastmile_runtime.contract import Contract
    from lastmile_runtime.http import Request
    from lastmile_runtime.models import Models
    from lastmile_runtime.router import Routing
    from lastmile_runtime.routing import FixedRouting, LiveRouting
    from lastmile_runtime.tensors import Tensor

    Mirror = Callable[[Request, str, list[Tensor], "Prediction"], None]

PIN_HEADER = "x-model-version"


class Prediction:
    """What a version answered, and the receipt."""

    __slots__ = ("facts", "headers", "outputs", "version")

    def __init__(
        self, version: str, outputs: list[Tensor], headers: dict[str, str], facts: dict[str, Any]
    ) -> None:
        self.version = version
        self.outputs = outputs
        self.headers = headers
        """For the answer: x-model-version, x-model-digest, x-model-route, server-timing."""
        self.facts = facts
        """For the log."""


class Service:
    """The models of a bundle behind its contract and its router."""

    def __init__(
        self,
        models: Models,
        routing: FixedRouting | LiveRouting,
        digest: str,
        model: str,
        draw: Callable[[], int],
        contract: Contract | None = None,
    ) -> None:
        self.model = model
        """The model's name."""
        self.infer_path = f"/v2/models/{model}/infer"
        """The Open Inference Protocol's path of nearly every request."""
        self.digest = digest
        self.versions = models.versions
        self.failures = models.failures
        self.statistics = Statistics(list(models.versions))
        self.mirror: Mirror | None = None
        """Given each shadow's share of the requests."""
        self._models = models
        self._routing = routing
        self._draw = draw
        self._contract = contract
        self._cold: LockType | None = allocate_lock()
        """Taken by the first answer of the process, for good; None once it is."""
        self._late: dict[str, int] = {}
        """How many predictions of a challenger are still running although they were given up."""

    def champion(self) -> str:
        """Return the id of the version that answers by default."""
        return self._routing.current().champion

    def resolve(self, name: str) -> str:
        """Return the version that an id or an alias names. Raises RequestError (404) when it names none."""
        return router.resolve(self._routing.current(), name)

    def load(self, id_: str) -> float:
        """Make sure that a version is loaded; return the seconds that this took. Raises RequestError (500)."""
        return self._models.load(id_)

    def predict(
        self, request: Request, inputs: list[Tensor], *, pin: str | None = None, wanted: Sequence[str] = ()
    ) -> Prediction:
        """Answer a prediction.

        Args:
            request: What was sent; its headers may pin a version, or tell who the caller is.
            inputs: Its tensors.
            pin: The version that the path or the body asks for; it goes before the header's.
            wanted: The names of the outputs to answer; none for all.

        Raises RequestError: 400 for the inputs, 404 for the pin, 422 for the contract, 429 for one too many, 500 when
        the model fails.
        """
        routing = self._routing.current()
        if routing.throttle is not None and not request.accepted:
            routing.throttle.admit()
        checked = None
        if self._contract:
            checked = self._contract.apply(inputs, self.versions[routing.champion])
            inputs = checked.inputs
        choice = self._choose(routing, request, inputs, pin or request.headers.get(PIN_HEADER))
        version = self.versions[choice.version]
        signature.check_inputs(inputs, version)
        signature.check_outputs(wanted, version)
        if checked and checked.fallback and self._contract:
            outputs, load_s, predict_s = self._contract.fallback(inputs, version), 0.0, 0.0
            choice = Choice(choice.version, "fallback")
        else:
            outputs, load_s, predict_s = self._answer(routing, choice, inputs)
        prediction = self._prediction(choice, _select(outputs, wanted), load_s, predict_s)
        if checked and checked.flags:
            prediction.headers["x-model-contract"] = "; ".join(checked.flags)
            prediction.facts["contract"] = checked.flags
        if routing.shadows and choice.rule not in ("pin", "fallback"):
            self._mirror(routing, request, inputs, prediction)
        return prediction

    def shadow(self, version: str, inputs: list[Tensor]) -> list[Tensor]:
        """Return what a shadow predicts. Raises RequestError."""
        return self._run(version, inputs)[0]

    def _choose(self, routing: Routing, request: Request, inputs: list[Tensor], pin: str | None) -> Choice:
        if pin is None:
            for rule in routing.rules:
                value = table.first_value(inputs, self.versions[routing.champion].columns, rule["input"])
                if value is not None and value in rule["in"]:
                    return Choice(rule["version"], "input")
        key, draw = None, 0
        if not routing.only and pin is None:
            key = self._sticky_key(routing, request, inputs)
            draw = self._draw() if key is None else 0
        choice = router.choose(routing, pin, key, draw)
        if self._routing.by_default and choice.rule != "pin":
            choice.rule = "default"
        return choice

    def _sticky_key(self, routing: Routing, request: Request, inputs: list[Tensor]) -> str | None:
        match routing.sticky:
            case None:
                return None
            case ("header", name):
                return request.headers.get(name.lower())
            case ("cookie", name):
                return _cookie(request.headers.get("cookie", ""), name)
            case (_, name):
                value = table.first_value(inputs, self.versions[routing.champion].columns, name)
                return None if value is None else str(value)

    def _answer(
        self, routing: Routing, choice: Choice, inputs: list[Tensor]
    ) -> tuple[list[Tensor], float, float]:
        """Return outputs, and the seconds of loading and predicting; the champion stands in for a challenger."""
        if choice.version == routing.champion or choice.rule == "pin":
            return self._run(choice.version, inputs)
        found = self._in_time(routing.challenger_timeout_s, choice.version, inputs)
        if isinstance(found, tuple):
            return found
        if isinstance(found, RequestError) and found.status < 500:
            raise found
        choice.failed = choice.version
        choice.version = routing.champion
        signature.check_inputs(inputs, self.versions[choice.version])
        return self._run(choice.version, inputs)

    def _run(self, version: str, inputs: list[Tensor]) -> tuple[list[Tensor], float, float]:
        load_s = self._models.load(version)
        started = time.perf_counter()
        try:
            outputs = self._models.predict(version, inputs)
        except RequestError as error:
            if error.status >= 500:
                self.statistics.failed(version, time.perf_counter() - started)
            raise
        predict_s = time.perf_counter() - started
        self.statistics.succeeded(version, _rows(inputs), predict_s)
        return outputs, load_s, predict_s

    def _in_time(self, timeout_s: float, version: str, inputs: list[Tensor]) -> Any:
        """Run a challenger in a thread of its own; return what `_run` does, its error, or None when it is late.

        Loading counts as well. One that keeps several late is not asked again before they are done.
        """
        if self._late.get(version, 0) >= _MOST_LATE:
            return None
        import threading

        found: list[Any] = []
        done = threading.Event()

        def run() -> None:
            try:
                found.append(self._run(version, inputs))
            except Exception as error:  # noqa: BLE001 - the champion answers, whatever the challenger does
                found.append(error)
            with self._models.guard:
                if done.is_set():
                    self._late[version] -= 1
                done.set()

        threading.Thread(target=run, daemon=True).start()
        if done.wait(timeout_s):
            return found[0]
        with self._models.guard:
            if not done.is_set():
                self._late[version] = self._late.get(version, 0) + 1
                done.set()
                return None
        return found[0]

    def _prediction(
        self, choice: Choice, outputs: list[Tensor], load_s: float, predict_s: float
    ) -> Prediction:
        cold, first = False, self._cold
        if first is not None:  # a name of its own: another first answer may take the attribute away meanwhile
            cold, self._cold = first.acquire(blocking=False), None
        route = choice.route()
        headers = {
            "x-model-version": choice.version,
            "x-model-digest": self.digest,
            "x-model-route": route,
            "server-timing": _timing(load_s, predict_s, cold=cold),
        }
        facts = {
            "version": choice.version,
            "route": route,
            "faas.coldstart": cold,
            "predict_ms": round(predict_s * 1000, 3),
        }
        if load_s:
            facts["load_ms"] = round(load_s * 1000, 1)
        return Prediction(choice.version, outputs, headers, facts)

    def _mirror(
        self, routing: Routing, request: Request, inputs: list[Tensor], prediction: Prediction
    ) -> None:
        if self.mirror is None:
            return
        for version, percent in routing.shadows:
            if version != prediction.version and self._draw() < percent * router.BUCKETS_PER_WEIGHT:
                self.mirror(request, version, inputs, prediction)


_MOST_LATE = 4
"""Threads that a hanging challenger may hold."""


def _timing(load_s: float, predict_s: float, *, cold: bool) -> str:
    if not cold and not load_s:
        return f"predict;dur={predict_s * 1000:.2f}"
    metrics = ["faas.coldstart"] if cold else []
    if load_s:
        metrics.append(f"load;dur={load_s * 1000:.1f}")
    return ", ".join([*metrics, f"predict;dur={predict_s * 1000:.2f}"])


def _rows(inputs: list[Tensor]) -> int:
    return inputs[0].shape[0] if inputs and inputs[0].shape else 1


def _cookie(header: str, name: str) -> str | None:
    for pair in header.split(";"):
        key, equals, value = pair.strip().partition("=")
        if equals and key == name:
            return value.strip('"')
    return None


def _select(outputs: list[Tensor], wanted: Sequence[str]) -> list[Tensor]:
    if not wanted:
        return outputs
    by_name = {tensor.name: tensor for tensor in outputs}
    for name in wanted:
        if name not in by_name:
            raise RequestError(400, f"output {name!r} is unknown; the outputs are {', '.join(by_name)}.")
    return [by_name[name] for name in wanted]
