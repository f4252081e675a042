"""The spec's traffic: which version answers which requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from lastmile_sls.spec.section import HEADER, Section, rule

Percent = Annotated[StrictFloat, Field(ge=0, le=100)]


class Shadow(Section):
    """A version that sees a share of the requests and never answers."""

    version: Annotated[str, Field(description="The version's id.")]
    percent: Annotated[Percent, Field(description="Share of the requests, 0 to 100.")] = 100.0


class Sticky(Section):
    """What keeps a caller with the version that answered first; exactly one of the three."""

    header: Annotated[str | None, Field(pattern=HEADER, description="A request header.")] = None
    cookie: Annotated[str | None, Field(description="A cookie.")] = None
    input: Annotated[str | None, Field(description="An input field of the model.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Sticky:
        if sum(value is not None for value in (self.header, self.cookie, self.input)) != 1:
            raise rule("needs exactly one of header, cookie, input")
        return self


class InputRule(Section):
    """Requests that one version answers because of what is in them."""

    input: Annotated[str, Field(min_length=1, description="An input field of the model.")]
    values: Annotated[
        tuple[StrictStr | StrictBool | StrictInt | StrictFloat, ...],
        Field(min_length=1, description="The version answers when the first row has one of these."),
    ]
    version: Annotated[str, Field(description="The version's id.")]


class Traffic(Section):
    """Which version answers which share of the requests when a deployment begins; then see lastmile traffic."""

    champion: Annotated[
        str | None,
        Field(description="The version that answers by default. May be left out when there is one version."),
    ] = None
    weights: Annotated[
        dict[str, Percent],
        Field(
            description="Percent by version, at most two decimals; they sum to 100. Default: all to the champion.",
        ),
    ] = Field(default_factory=dict)
    shadows: Annotated[tuple[Shadow, ...], Field(description="Versions that are compared in silence.")] = ()
    sticky: Annotated[Sticky | None, Field(description="Keeps a caller with one version.")] = None
    rules: Annotated[
        tuple[InputRule, ...], Field(description="By input value, before the weights; the first that fits.")
    ] = ()
    max_age_s: Annotated[
        StrictFloat,
        Field(gt=0, le=3600, description="A change of the traffic is followed within this, in seconds."),
    ] = 5.0
    challenger_timeout_s: Annotated[
        StrictFloat,
        Field(
            gt=0, le=900, description="The champion answers for a challenger that takes longer, in seconds."
        ),
    ] = 1.0

    @field_validator("weights")
    @classmethod
    def _weights_are_hundredths_and_sum_to_100(cls, weights: dict[str, float]) -> dict[str, float]:
        exact = {id_: Decimal(str(weight)) for id_, weight in weights.items()}
        for id_, weight in exact.items():
            if weight != round(weight, 2):
                raise rule(
                    "has {weight} for {id}, but a percentage has at most two decimals",
                    id=id_,
                    weight=str(weight),
                )
        total = sum(exact.values(), Decimal(0))
        if exact and total != 100:
            change = "Lower one of them." if total > 100 else "Raise one of them."
            raise rule(
                "sum to {total}, but must sum to 100. {change}",
                total=f"{total.normalize():f}",
                change=change,
            )
        return weights
