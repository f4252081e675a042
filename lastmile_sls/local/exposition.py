"""The metrics of a deployment in Prometheus' formats, by its own client library (prometheus_client)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from lastmile_sls.local.metrics import BUCKETS_S, Histogram, Labels, Metrics, State

_FUNCTION, _VERSION, _TRIGGER = "faas_name", "model_version", "faas_trigger"
_STATUS, _COLD = "http_response_status_code", "faas_coldstart"

_Values = Mapping[Labels, float]


def render(metrics: Metrics, state: State, accept: str) -> tuple[str, bytes]:
    """Return the content type and the document, in the newest format that a client says it accepts."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(metrics, state))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Families(Collector):
    """Hands the registry everything at once, as it was counted."""

    def __init__(self, metrics: Metrics, state: State) -> None:
        self._metrics = metrics
        self._state = state

    def collect(self) -> Iterable[Metric]:
        yield from self._invocations()
        yield from self._durations()
        yield from self._versions()
        yield from self._functions()
        yield from self._queues()

    def _invocations(self) -> Iterator[Metric]:
        counted = self._metrics.invocations
        labels = (_FUNCTION, _TRIGGER, _VERSION, _STATUS, _COLD)
        yield _counter("faas_invocations", "Invocations of a function.", labels, counted)
        cold: Counter[Labels] = Counter()
        errors: Counter[Labels] = Counter()
        for (function, trigger, _, status, is_cold), count in counted.items():
            cold[function,] += count * (is_cold == "true")
            errors[function, trigger] += count * (status >= "500")
        yield _counter("faas_coldstarts", "Predictions that a new process began with.", (_FUNCTION,), cold)
        yield _counter("faas_errors", "Invocations that failed (5xx).", (_FUNCTION, _TRIGGER), errors)
        refusals = self._metrics.refusals
        yield _counter(
            "lastmile_gateway_refusals", "Requests that no function answered.", (_STATUS,), refusals
        )

    def _durations(self) -> Iterator[Metric]:
        metrics, by_version = self._metrics, (_FUNCTION, _VERSION)
        yield _histogram(
            "faas_invoke_duration_seconds",
            "How long invocations took in the function.",
            (_FUNCTION, _TRIGGER, _VERSION),
            metrics.durations,
        )
        yield _histogram(
            "lastmile_predict_duration_seconds", "How long the model took.", by_version, metrics.predictions
        )
        yield _histogram(
            "lastmile_load_duration_seconds", "How long loading took.", by_version, metrics.loads
        )

    def _versions(self) -> Iterator[Metric]:
        yield _counter(
            "lastmile_challenger_failures",
            "Answers that the champion gave because the challenger failed or was late.",
            (_FUNCTION, _VERSION),
            self._metrics.stand_ins,
        )
        yield _counter(
            "lastmile_shadow_comparisons",
            "Predictions of a shadow, compared with what was answered.",
            (_FUNCTION, _VERSION, "answered_by", "result"),
            self._metrics.shadows,
        )

    def _functions(self) -> Iterator[Metric]:
        found = self._state.functions
        instances: _Values = {(n, state): c for n, f in found.items() for state, c in f.instances.items()}
        yield _gauge("lastmile_instances", "Processes.", (_FUNCTION, "state"), instances)
        in_flight: _Values = {(name,): function.in_flight for name, function in found.items()}
        yield _gauge("lastmile_requests_in_flight", "Requests being answered.", (_FUNCTION,), in_flight)
        memory: _Values = {(name,): function.memory_bytes for name, function in found.items()}
        yield _gauge("lastmile_memory_bytes", "Resident memory of all processes.", (_FUNCTION,), memory)
        restarts: _Values = {(name,): function.restarts for name, function in found.items()}
        yield _counter("lastmile_instance_restarts", "Processes that died.", (_FUNCTION,), restarts)

    def _queues(self) -> Iterator[Metric]:
        found = self._state.queues
        messages: _Values = {
            (name, state): getattr(counts, state)
            for name, (counts, _) in found.items()
            for state in ("waiting", "leased", "dead")
        }
        yield _gauge("lastmile_queue_messages", "Messages by state.", ("queue", "state"), messages)
        ages: _Values = {(name,): age_s for name, (_, age_s) in found.items()}
        yield _gauge("lastmile_queue_oldest_age_seconds", "Age of the oldest live message.", ("queue",), ages)


def _counter(name: str, help_: str, labels: Labels, values: _Values) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _gauge(name: str, help_: str, labels: Labels, values: _Values) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _histogram(name: str, help_: str, labels: Labels, observed: Histogram) -> Metric:
    family = HistogramMetricFamily(name, help_, labels=labels)
    for key, counts in sorted(observed.counts.items()):
        total, buckets = 0, []
        for bound, count in zip([*map(str, BUCKETS_S), "+Inf"], counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric(key, buckets, observed.sums[key])
    return family
