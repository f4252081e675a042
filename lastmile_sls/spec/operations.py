"""The spec's operations and budget: who is told of what, and what it may cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from lastmile_sls.spec.section import CURRENCY, EMAIL, Section, rule

Email = Annotated[str, Field(pattern=EMAIL, max_length=254)]
Share = Annotated[StrictFloat, Field(gt=0, le=1000)]


class Alarms(Section):
    """When somebody is told; each over five minutes."""

    errors_percent: Annotated[
        StrictFloat, Field(gt=0, le=100, description="So many of the answers are errors of the server's.")
    ] = 5.0
    latency_p95_ms: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            description="One answer in twenty takes longer. Default: four fifths of resources.timeout_s.",
        ),
    ] = None
    throttles: Annotated[
        StrictInt, Field(ge=1, description="So many requests are refused because there are too many.")
    ] = 1
    queue_age_s: Annotated[
        StrictInt, Field(ge=60, description="The oldest message waits longer, in seconds.")
    ] = 900
    dead_letters: Annotated[StrictInt, Field(ge=1, description="So many messages are set aside.")] = 1


class Operations(Section):
    """Who looks after the deployment, and by what."""

    notify: Annotated[
        tuple[Email, ...],
        Field(min_length=1, max_length=10, description="E-mail addresses that alarms are sent to."),
    ]
    alarms: Annotated[Alarms, Field(description="When.")] = Alarms()
    dashboard: Annotated[StrictBool, Field(description="A page with the deployment's graphs.")] = True
    log_retention_days: Annotated[
        StrictInt, Field(ge=1, le=3653, description="How long the functions' logs are kept, in days.")
    ] = 30


class Throttle(Section):
    """How much is still answered when the money is nearly gone."""

    percent: Annotated[Share, Field(description="When so much of the limit is spent.")]
    requests_per_s: Annotated[
        StrictFloat,
        Field(
            ge=0.001,
            le=1_000_000,
            description="What each instance still answers in a second; it refuses the others with 429.",
        ),
    ]


class Actions(Section):
    """What `lastmile budget enforce` does when so much of the limit is spent: each once in a month, undone after it."""

    stop_shadows_percent: Annotated[Share | None, Field(description="Shadows see no requests any more.")] = (
        None
    )
    throttle: Annotated[Throttle | None, Field(description="Requests beyond a rate are refused.")] = None
    drop_warm_percent: Annotated[
        Share | None, Field(description="No instance is kept warm any more, from the next `lastmile up` on.")
    ] = None

    @model_validator(mode="after")
    def _thresholds_differ(self) -> Actions:
        named = self.thresholds()
        if not named:
            raise rule(
                "has no action. Name one of stop_shadows_percent, throttle, drop_warm_percent, or leave it out"
            )
        for (name, share), (other, same) in pairwise(named):
            if share == same:
                raise rule(
                    "has {name} and {other} both at {share}, so which comes first is not said. Make them differ",
                    name=name,
                    other=other,
                    share=f"{share:g}",
                )
        return self

    def thresholds(self) -> list[tuple[str, float]]:
        """Return the actions and their percent of the limit, the lowest first."""
        found = {
            "stop_shadows_percent": self.stop_shadows_percent,
            "throttle.percent": self.throttle.percent if self.throttle else None,
            "drop_warm_percent": self.drop_warm_percent,
        }
        named = [(name, share) for name, share in found.items() if share is not None]
        return sorted(named, key=lambda entry: entry[1])


class Budget(Section):
    """What the deployment may cost in a month: who is told, and what is done."""

    monthly_limit: Annotated[StrictFloat, Field(gt=0, description="The whole month's, in the currency.")]
    currency: Annotated[str, Field(pattern=CURRENCY, description="ISO 4217; the account's own.")] = "USD"
    alerts_percent: Annotated[
        tuple[Share, ...], Field(description="An alert when so much of the limit was billed.")
    ] = (50.0, 80.0, 100.0)
    forecast_percent: Annotated[
        tuple[Share, ...],
        Field(description="An alert when so much of the limit will be billed, if it goes on."),
    ] = (100.0,)
    notify: Annotated[
        tuple[Email, ...],
        Field(max_length=10, description="E-mail addresses. Default: those of operations.notify."),
    ] = ()
    actions: Annotated[
        Actions | None, Field(description="What `lastmile budget enforce` does. Default: nothing is stopped.")
    ] = None

    @model_validator(mode="after")
    def _alerts_differ(self) -> Budget:
        for name in ("alerts_percent", "forecast_percent"):
            shares = getattr(self, name)
            if len(set(shares)) < len(shares):
                raise rule(
                    "has {share} twice in {name}. Take one out",
                    share=f"{max(shares, key=shares.count):g}",
                    name=name,
                )
        if not (self.alerts_percent or self.forecast_percent):
            raise rule("has neither alerts_percent nor forecast_percent. Name one")
        return self
