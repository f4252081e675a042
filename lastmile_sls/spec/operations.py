"""The spec's operations and budget: who is told of what, and what it may cost."""

from __future__ import annotations

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


class Budget(Section):
    """What the deployment may cost in a month. Alerts are sent; nothing is stopped."""

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
