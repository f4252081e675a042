"""The parameters of all rules: `lastmile.policy.yaml`, its defaults and its JSON Schema."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from lastmile_sls.errors import LastmileError

POLICY_FILE = "lastmile.policy.yaml"
Signal = Literal["errors", "latency", "throttles", "queue-age", "dead-letters"]
Name = Annotated[str, Field(min_length=1, max_length=128)]
RuleId = Literal[
    "tags",
    "regions",
    "private-storage",
    "no-anonymous",
    "endpoint-auth",
    "encrypted",
    "tls",
    "buckets-tls",
    "log-retention",
    "log-groups",
    "memory",
    "instances",
    "dead-letters",
    "alarms",
    "budget",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tag(_Section):
    """What a tag's value may be; without either, anything but empty."""

    allowed: Annotated[tuple[str, ...] | None, Field(min_length=1, description="One of these.")] = None
    pattern: Annotated[
        str | None, Field(min_length=1, description="A regular expression that the whole value matches.")
    ] = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"must be a regular expression: {error}") from None
        return pattern


class Regions(_Section):
    """Where things may be; a cloud that is not named is not limited."""

    aws: Annotated[tuple[Name, ...] | None, Field(min_length=1, description="Such as eu-west-1.")] = None
    gcp: Annotated[
        tuple[Name, ...] | None, Field(min_length=1, description="Such as europe-west1, or eu.")
    ] = None
    azure: Annotated[tuple[Name, ...] | None, Field(min_length=1, description="Such as westeurope.")] = None


class Encryption(_Section):
    """At rest and on the way."""

    customer_keys: Annotated[
        StrictBool, Field(description="Whether what is kept must be encrypted with a key of yours.")
    ] = False
    min_tls: Annotated[Literal["1.2", "1.3"], Field(description="The oldest TLS that may be spoken.")] = "1.2"


class Logs(_Section):
    """How long logs are kept, in days."""

    min_days: Annotated[StrictInt, Field(ge=1, le=3653, description="At least.")] = 1
    max_days: Annotated[StrictInt, Field(ge=1, le=3653, description="At most.")] = 3653

    @model_validator(mode="after")
    def _min_is_below_max(self) -> Logs:
        if self.min_days > self.max_days:
            raise ValueError(f"has min_days {self.min_days}, but max_days {self.max_days}")
        return self


class Functions(_Section):
    """How large a function may be."""

    max_memory_mb: Annotated[
        StrictInt | None, Field(ge=64, description="Memory of one instance, in MB. Default: no limit.")
    ] = None
    max_instances: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            description="Each function says its most instances, and not more than this. Default: no limit.",
        ),
    ] = None


class Alarms(_Section):
    """Where somebody must be woken."""

    environments: Annotated[
        tuple[Name, ...],
        Field(description="In stacks whose functions have one of these in the tag environment."),
    ] = ()
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, description="By which alarms.")] = (
        "errors",
        "latency",
        "throttles",
    )


class Budget(_Section):
    """Where a month's cost must have a limit."""

    environments: Annotated[
        tuple[Name, ...],
        Field(description="In stacks whose functions have one of these in the tag environment."),
    ] = ()
    max_monthly: Annotated[
        StrictFloat | None,
        Field(gt=0, description="No budget is higher, in its own currency. Default: any."),
    ] = None


class Parameters(_Section):
    """What `lastmile preview`, `lastmile up` and the policy pack hold deployments to."""

    tags: Annotated[
        dict[Name, Tag],
        Field(description="On everything that takes any: the tag, and what its value may be."),
    ] = Field(default_factory=dict)
    regions: Annotated[Regions, Field(description="Where things may be.")] = Regions()
    allow_public: Annotated[
        tuple[Name, ...],
        Field(description="Deployments (NAME-ENVIRONMENT) that anybody may call."),
    ] = ()
    encryption: Annotated[Encryption, Field(description="At rest and on the way.")] = Encryption()
    logs: Annotated[Logs, Field(description="How long logs are kept.")] = Logs()
    functions: Annotated[Functions, Field(description="How large a function may be.")] = Functions()
    alarms: Annotated[Alarms, Field(description="Where somebody must be woken.")] = Alarms()
    budget: Annotated[Budget, Field(description="Where a month's cost must have a limit.")] = Budget()
    rules: Annotated[
        dict[RuleId, Literal["mandatory", "advisory", "off"]],
        Field(
            description="A broken rule stops a deployment (mandatory) or is told (advisory). Default: each rule's own."
        ),
    ] = Field(default_factory=dict)

    @field_validator("rules", mode="before")
    @classmethod
    def _off_is_a_word(cls, rules: Any) -> Any:
        """Take `off` without quotes, which YAML reads as false."""
        if not isinstance(rules, dict):
            return rules
        return {rule: "off" if weight is False else weight for rule, weight in rules.items()}


def load(path: Path) -> Parameters:
    """Return the parameters in a file. Raises LastmileError with one line per mistake: where, field, value, rule."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LastmileError(
            f"{path} cannot be read: {error.strerror or error}.", "Name the policy's file with --policy."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LastmileError(f"{path} is no YAML: {error}.") from error
    try:
        return Parameters.model_validate({} if content is None else content)
    except ValidationError as error:
        lines = [f"{path}: {_message(detail)}" for detail in error.errors()]
        raise LastmileError(
            "\n".join(lines), "lastmile policy schema prints what the file may hold."
        ) from None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `lastmile.policy.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lastmile:policy:1",
        **Parameters.model_json_schema(),
        "title": POLICY_FILE,
    }


def _message(detail: ErrorDetails) -> str:
    where = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        known = _fields_of(detail["loc"][:-1])
        close = get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{where} is not a parameter. " + (
            f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
        )
    if detail["type"] == "value_error":
        return f"{where or 'it'} {detail['ctx']['error']}."
    return f"{where or 'it'} is {value!r}, but: {detail['msg'][0].lower()}{detail['msg'][1:]}."


def _fields_of(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Parameters
    for part in location:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else Tag
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else Tag
    return list(model.model_fields)
