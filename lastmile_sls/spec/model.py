"""The spec's shape, defaults and rules. Every description here is the JSON Schema's, so editors show it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

ALIASES = ("champion", "challenger", "shadow")
Framework = Literal["sklearn", "xgboost", "lightgbm", "onnx", "python", "pytorch", "mlflow"]
Datatype = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES"
]  # fmt: skip
Percent = Annotated[StrictFloat, Field(ge=0, le=100)]
_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
_APP = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*\.py:[A-Za-z_][A-Za-z0-9_]*$"
_ISSUER = r"^(https://|http://(localhost|127\.0\.0\.1)[:/])"
PATTERNS = {
    _NAME: "have lower-case letters, digits and single dashes only, and begin with a letter",
    _ID: "have letters, digits, dots, dashes and underscores only, and begin with a letter or digit",
    _HEADER: "be the name of an HTTP header",
    _REGION: "be a region such as eu-west-1",
    _APP: "be a Python file relative to this spec, and the name of an application in it, such as app.py:app",
    _ISSUER: "begin with https://, or be on this machine",
    r"^[A-Z]{3}$": "be a currency's three capital letters, such as USD",
}
"""Each pattern in words, for messages."""


def rule(text: str, /, **context: Any) -> PydanticCustomError:
    """Return the error of a rule; its message goes on after the field's name, or stands alone for the whole spec."""
    return PydanticCustomError("rule", text, context)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Version(_Section):
    """One trained model."""

    id: Annotated[str, Field(pattern=_ID, max_length=40, description="Names the version in URLs and logs.")]
    artifact: Annotated[
        str,
        Field(min_length=1, description="The model file: a path relative to this spec, or a URI."),
    ]
    framework: Annotated[Framework, Field(description="What the model was made with, and what runs it.")]
    entry: Annotated[str | None, Field(description="python only: the class in the artifact.")] = None
    sample: Annotated[
        str | None, Field(description="A CSV file with a header and rows as the model takes them.")
    ] = None
    requirements: Annotated[
        tuple[str, ...], Field(description="What the model was trained with, as pip writes it.")
    ] = ()
    frame: Annotated[
        StrictBool, Field(description="Give the model a pandas DataFrame instead of an array.")
    ] = False
    trusted: Annotated[
        StrictBool,
        Field(
            description="The file may run any code when it is loaded, because it is your own. See lastmile init --trust."
        ),
    ] = False
    description: Annotated[str, Field(max_length=500, description="For people.")] = ""

    @field_validator("id")
    @classmethod
    def _id_is_no_alias(cls, value: str) -> str:
        if value in ALIASES:
            raise rule(
                "is {id}, an alias that requests use; the aliases are {aliases}. Choose another",
                id=repr(value),
                aliases=", ".join(ALIASES),
            )
        return value

    @model_validator(mode="after")
    def _entry_is_for_python(self) -> Version:
        if (self.framework == "python") != (self.entry is not None):
            raise rule("needs entry, the class of a python artifact, with framework python and only there")
        return self


class Shadow(_Section):
    """A version that sees a share of the requests and never answers."""

    version: Annotated[str, Field(description="The version's id.")]
    percent: Annotated[Percent, Field(description="Share of the requests, 0 to 100.")] = 100.0


class Sticky(_Section):
    """What keeps a caller with the version that answered first; exactly one of the three."""

    header: Annotated[str | None, Field(pattern=_HEADER, description="A request header.")] = None
    cookie: Annotated[str | None, Field(description="A cookie.")] = None
    input: Annotated[str | None, Field(description="An input field of the model.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Sticky:
        if sum(value is not None for value in (self.header, self.cookie, self.input)) != 1:
            raise rule("needs exactly one of header, cookie, input")
        return self


class InputRule(_Section):
    """Requests that one version answers because of what is in them."""

    input: Annotated[str, Field(min_length=1, description="An input field of the model.")]
    values: Annotated[
        tuple[StrictStr | StrictBool | StrictInt | StrictFloat, ...],
        Field(min_length=1, description="The version answers when the first row has one of these."),
    ]
    version: Annotated[str, Field(description="The version's id.")]


class Traffic(_Section):
    """Which version answers which share of the requests when a deployment begins; then see lastmile traffic."""

    champion: Annotated[
        str | None,
        Field(description="The version that answers by default. May be left out when there is one version."),
    ] = None
    weights: Annotated[
        dict[str, Percent],
        Field(
            description="Percent by version, at most two decimals; they sum to 100. Default: all to the champion."
        ),
    ] = {}
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


class Jwt(_Section):
    """Whose tokens the endpoint takes."""

    issuer: Annotated[str, Field(pattern=_ISSUER, description="The issuer's URL.")]
    audiences: Annotated[
        tuple[str, ...], Field(min_length=1, description="At least one of these is in the token.")
    ]


class Cors(_Section):
    """Which web pages may call the endpoint from a browser."""

    allow_origins: Annotated[
        tuple[str, ...],
        Field(min_length=1, description='Origins, such as https://app.example.com, or "*".'),
    ]


class RateLimit(_Section):
    """How much the endpoint takes; more is answered 429."""

    requests_per_s: Annotated[StrictFloat, Field(gt=0, description="Sustained rate.")]
    burst: Annotated[StrictInt, Field(ge=1, description="Requests at once.")]


class Endpoint(_Section):
    """How applications reach the deployment."""

    auth: Annotated[
        Literal["key", "jwt", "iam", "public"],
        Field(description="Who may call. key: an API key in the header x-api-key."),
    ] = "key"
    jwt: Annotated[Jwt | None, Field(description="Needed with auth jwt.")] = None
    keys: Annotated[
        tuple[Annotated[str, Field(pattern=_NAME, max_length=40)], ...],
        Field(
            min_length=1,
            max_length=2,
            description="Names of the API keys that are valid, the newest last. To replace a key, add a second "
            "name, move the applications over, then take the first out.",
        ),
    ] = ("key",)
    cors: Annotated[Cors | None, Field(description="Default: no web page may.")] = None
    rate_limit: Annotated[RateLimit | None, Field(description="Default: none.")] = None
    domain: Annotated[str | None, Field(description="A domain name of your own.")] = None
    app: Annotated[
        str | None,
        Field(
            pattern=_APP,
            description="Your own ASGI application, FastAPI's say, for the paths that no protocol has: a Python file "
            "relative to this spec and the name in it, such as app.py:app. A file beside this spec is taken alone, "
            "one in a folder with that folder.",
        ),
    ] = None

    @model_validator(mode="after")
    def _jwt_goes_with_auth(self) -> Endpoint:
        if (self.auth == "jwt") != (self.jwt is not None):
            raise rule("needs jwt with auth: jwt, and only there")
        return self


class Resources(_Section):
    """The room that the function gets."""

    memory_mb: Annotated[StrictInt, Field(ge=64, le=131072, description="Memory of one instance, in MB.")] = (
        512
    )
    timeout_s: Annotated[
        StrictInt, Field(ge=1, le=3600, description="A request is given up after this, in seconds.")
    ] = 30
    concurrency: Annotated[
        StrictInt, Field(ge=1, le=1000, description="Requests that one instance answers at once.")
    ] = 4
    min_instances: Annotated[
        StrictInt, Field(ge=0, le=1000, description="Instances kept warm; 0 costs nothing when idle.")
    ] = 0
    max_instances: Annotated[
        StrictInt, Field(ge=1, le=1000, description="Never more instances than this.")
    ] = 4
    processor: Annotated[
        Literal["x86_64", "arm64"] | None,
        Field(description="Default: whichever the target has cheapest."),
    ] = None

    @model_validator(mode="after")
    def _min_is_below_max(self) -> Resources:
        if self.min_instances > self.max_instances:
            raise rule(
                "has min_instances {low}, but max_instances {high}. Lower the one or raise the other",
                low=self.min_instances,
                high=self.max_instances,
            )
        return self


class Queue(_Section):
    """Work that waits: requests that are answered later."""

    max_attempts: Annotated[StrictInt, Field(ge=1, le=100, description="Then the message is set aside.")] = 5
    visibility_timeout_s: Annotated[
        StrictInt, Field(ge=1, le=43200, description="A worker's time for one message, in seconds.")
    ] = 180
    retention_s: Annotated[
        StrictInt, Field(ge=60, le=1209600, description="How long a message is kept, in seconds.")
    ] = 345600


class Schedule(_Section):
    """Work on a clock: scoring files."""

    cron: Annotated[str, Field(description="When, in cron's five fields, UTC.")]
    input: Annotated[str, Field(description="Where the rows are: a folder or URI.")]
    output: Annotated[str, Field(description="Where the predictions go: a folder or URI.")]


Action = Literal["accept", "reject", "impute", "fallback"]


class Column(_Section):
    """One input or output of the model, what was seen of it in training, and what happens to anything else."""

    name: Annotated[str, Field(min_length=1, description="As the model names it.")]
    datatype: Annotated[Datatype, Field(description="The Open Inference Protocol's name of the type.")]
    shape: Annotated[tuple[int, ...], Field(min_length=1, description="-1 is the number of rows.")] = (-1,)
    minimum: Annotated[StrictFloat | None, Field(description="The smallest value seen.")] = None
    maximum: Annotated[StrictFloat | None, Field(description="The largest value seen.")] = None
    categories: Annotated[tuple[str, ...] | None, Field(description="The values seen.")] = None
    missing: Annotated[
        Action,
        Field(
            description="What happens where there is no value: accept (the answer says so), reject (422), "
            "impute (put `impute` in), fallback (answer contract.fallback)."
        ),
    ] = "accept"
    out_of_range: Annotated[Action, Field(description="The same, beyond minimum or maximum.")] = "accept"
    unknown: Annotated[Action, Field(description="The same, for a value not among categories.")] = "accept"
    impute: Annotated[
        StrictStr | StrictBool | StrictInt | StrictFloat | None, Field(description="The value to put in.")
    ] = None

    @model_validator(mode="after")
    def _impute_has_a_value(self) -> Column:
        if "impute" in (self.missing, self.out_of_range, self.unknown) and self.impute is None:
            raise rule("needs impute, the value to put in, where an action is impute")
        return self


class Contract(_Section):
    """What goes in and what comes out."""

    inputs: Annotated[tuple[Column, ...], Field(description="The model's inputs, in its order.")] = ()
    outputs: Annotated[tuple[Column, ...], Field(description="The model's outputs.")] = ()
    fallback: Annotated[
        dict[str, Any] | None,
        Field(description="What is answered for each row, by output, where an action is fallback."),
    ] = None

    @field_validator("inputs", "outputs")
    @classmethod
    def _names_differ(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise rule("has the name {name} twice. Give each its own", name=twice[0])
        return columns

    @model_validator(mode="after")
    def _fallback_has_an_answer(self) -> Contract:
        for column in self.inputs:
            if "fallback" in (column.missing, column.out_of_range, column.unknown) and not self.fallback:
                raise rule(
                    "needs fallback, an answer by output, because {name} has the action fallback",
                    name=repr(column.name),
                )
        return self


class Budget(_Section):
    """What the deployment may cost."""

    monthly_limit: Annotated[StrictFloat, Field(gt=0, description="Alerts are sent on the way there.")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")] = "USD"


class Local(_Section):
    """This machine."""

    port: Annotated[
        StrictInt | None,
        Field(
            ge=1024,
            le=65535,
            description="Default: the first free one from 8080, kept from then on.",
        ),
    ] = None
    idle_timeout_s: Annotated[
        StrictInt, Field(ge=1, le=86400, description="An idle instance ends after this, in seconds.")
    ] = 300


class Aws(_Section):
    """Amazon Web Services."""

    region: Annotated[str | None, Field(pattern=_REGION, description="Such as eu-west-1.")] = None


class Gcp(_Section):
    """Google Cloud."""

    project: Annotated[str | None, Field(description="The project's id.")] = None
    region: Annotated[str | None, Field(description="Such as europe-west1.")] = None


class Azure(_Section):
    """Microsoft Azure."""

    subscription: Annotated[str | None, Field(description="The subscription's id.")] = None
    location: Annotated[str | None, Field(description="Such as westeurope.")] = None


class Targets(_Section):
    """Where the deployment can go, and what each place needs to know."""

    local: Annotated[Local, Field(description="This machine.")] = Local()
    aws: Annotated[Aws, Field(description="Amazon Web Services.")] = Aws()
    gcp: Annotated[Gcp, Field(description="Google Cloud.")] = Gcp()
    azure: Annotated[Azure, Field(description="Microsoft Azure.")] = Azure()


class Spec(_Section):
    """A model, its versions, and how it is served."""

    name: Annotated[
        str,
        Field(
            pattern=_NAME,
            max_length=40,
            description="The model's name: lower case, digits, dashes.",
        ),
    ]
    environment: Annotated[
        str, Field(pattern=_NAME, max_length=20, description="Such as dev, staging, prod.")
    ] = "dev"
    owner: Annotated[str, Field(min_length=1, description="Who answers for it: a team or an e-mail address.")]
    cost_center: Annotated[str, Field(min_length=1, description="Who pays for it.")]
    description: Annotated[str, Field(max_length=1000, description="For people.")] = ""
    versions: Annotated[tuple[Version, ...], Field(min_length=1, description="The trained models.")]
    traffic: Annotated[Traffic, Field(description="Which version answers which share.")] = Traffic()
    endpoint: Annotated[Endpoint, Field(description="How applications reach it.")] = Endpoint()
    resources: Annotated[Resources, Field(description="The room it gets.")] = Resources()
    contract: Annotated[Contract, Field(description="What goes in and comes out.")] = Contract()
    queue: Annotated[Queue | None, Field(description="Answers that may come later.")] = None
    schedule: Annotated[Schedule | None, Field(description="Scoring files on a clock.")] = None
    budget: Annotated[Budget | None, Field(description="What it may cost.")] = None
    tags: Annotated[
        dict[str, str],
        Field(
            description="Your own cost tags, beside model, environment, owner, cost-center and managed-by."
        ),
    ] = {}
    targets: Annotated[Targets, Field(description="Where it can go.")] = Targets()

    @field_validator("versions")
    @classmethod
    def _ids_differ(cls, versions: tuple[Version, ...]) -> tuple[Version, ...]:
        ids = [version.id for version in versions]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise rule("has the id {id} twice. Give each version its own", id=twice[0])
        return versions

    @model_validator(mode="after")
    def _traffic_names_versions(self) -> Spec:
        ids = [version.id for version in self.versions]
        if self.traffic.champion is None and len(ids) > 1:
            raise rule(
                "traffic.champion is missing, but there are {count} versions. Name one of {ids}",
                field="traffic",
                count=len(ids),
                ids=", ".join(ids),
            )
        named = {"traffic.champion": [self.traffic.champion] if self.traffic.champion else []}
        named["traffic.weights"] = list(self.traffic.weights)
        named["traffic.shadows"] = [shadow.version for shadow in self.traffic.shadows]
        named["traffic.rules"] = [rule.version for rule in self.traffic.rules]
        for field, names in named.items():
            for name in names:
                if name not in ids:
                    raise rule(
                        "{field} names {name}, but the versions are {ids}. Name one of them",
                        field=field,
                        name=repr(name),
                        ids=", ".join(ids),
                    )
        return self

    @model_validator(mode="after")
    def _tags_are_legal(self) -> Spec:
        from lastmile_sls.spec.tags import TagError, tag_set

        try:
            tag_set(self)
        except TagError as error:
            raise rule("{message}", message=str(error), field=error.field) from error
        return self

    def champion(self) -> str:
        """Return the id of the version that answers by default."""
        return self.traffic.champion or self.versions[0].id


def is_uri(artifact: str) -> bool:
    """Tell whether an artifact lies in an object store or on the web."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", artifact) is not None
