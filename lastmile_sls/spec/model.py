"""The spec's shape, defaults and rules. Every description here and beside it is the JSON Schema's, so editors show it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StrictInt, field_validator, model_validator

from lastmile_sls.spec.bundle import Bundle
from lastmile_sls.spec.contract import Contract
from lastmile_sls.spec.endpoint import Endpoint
from lastmile_sls.spec.operations import Budget, Operations
from lastmile_sls.spec.queue import Queue
from lastmile_sls.spec.schedule import Schedule
from lastmile_sls.spec.section import NAME, VARIABLE, VAULT_NAME, Section, rule
from lastmile_sls.spec.targets import Targets
from lastmile_sls.spec.traffic import Traffic
from lastmile_sls.spec.version import Version

_RESERVED = (
    "LASTMILE_",
    "AWS_",
    "AZURE",
    "FUNCTIONS_",
    "WEBSITE_",
    "GOOGLE_",
    "K_",
    "PYTHON",
    "PORT",
    "PATH",
    "LD_",
)
"""What variables of the runtime and the platforms begin with."""


class Resources(Section):
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
        StrictInt | None,
        Field(
            ge=1,
            le=1000,
            description="Never more instances than this. Default: 4 on this machine, elsewhere what the cloud has.",
        ),
    ] = None
    processor: Annotated[
        Literal["x86_64", "arm64"] | None,
        Field(description="Default: whichever the target has cheapest."),
    ] = None
    gpu: Annotated[
        Literal["nvidia-l4", "nvidia-rtx-pro-6000"] | None,
        Field(description="One of these in each instance. Default: none."),
    ] = None

    @model_validator(mode="after")
    def _min_is_below_max(self) -> Resources:
        if self.max_instances is not None and self.min_instances > self.max_instances:
            raise rule(
                "has min_instances {low}, but max_instances {high}. Lower the one or raise the other",
                low=self.min_instances,
                high=self.max_instances,
            )
        return self


class Storage(Section):
    """How long the deployment's bucket keeps what is not needed for good."""

    results_days: Annotated[
        StrictInt,
        Field(ge=1, le=3650, description="Answers that came later are deleted after this, in days."),
    ] = 30
    capture_days: Annotated[
        StrictInt, Field(ge=1, le=3650, description="Captured requests are deleted after this, in days.")
    ] = 90
    old_versions_days: Annotated[
        StrictInt,
        Field(ge=1, le=3650, description="Former contents of an object are deleted after this, in days."),
    ] = 30


class Spec(Section):
    """A model, its versions, and how it is served."""

    name: Annotated[
        str,
        Field(
            pattern=NAME,
            max_length=40,
            description="The model's name: lower case, digits, dashes.",
        ),
    ]
    environment: Annotated[
        str, Field(pattern=NAME, max_length=20, description="Such as dev, staging, prod.")
    ] = "dev"
    owner: Annotated[str, Field(min_length=1, description="Who answers for it: a team or an e-mail address.")]
    cost_center: Annotated[str, Field(min_length=1, description="Who pays for it.")]
    description: Annotated[str, Field(max_length=1000, description="For people.")] = ""
    versions: Annotated[tuple[Version, ...], Field(min_length=1, description="The trained models.")]
    traffic: Annotated[Traffic, Field(description="Which version answers which share.")] = Traffic()
    endpoint: Annotated[Endpoint, Field(description="How applications reach it.")] = Endpoint()
    resources: Annotated[Resources, Field(description="The room it gets.")] = Resources()
    bundle: Annotated[Bundle, Field(description="What the functions are made of.")] = Bundle()
    contract: Annotated[Contract, Field(description="What goes in and comes out.")] = Contract()
    secrets: Annotated[
        dict[Annotated[str, Field(pattern=VARIABLE)], Annotated[str, Field(pattern=VAULT_NAME)]],
        Field(
            description="Environment variables whose values are in the target's vault: the variable, and the secret's name "
            "there. They are read when the function starts, and are nowhere else.",
        ),
    ] = Field(default_factory=dict)
    storage: Annotated[Storage, Field(description="How long things are kept.")] = Storage()
    queue: Annotated[Queue | None, Field(description="Answers that may come later.")] = None
    schedule: Annotated[Schedule | None, Field(description="Scoring files on a clock.")] = None
    operations: Annotated[
        Operations | None, Field(description="Alarms and a dashboard. Default: neither.")
    ] = None
    budget: Annotated[Budget | None, Field(description="What it may cost.")] = None
    tags: Annotated[
        dict[str, str],
        Field(
            description="Your own cost tags, beside model, environment, owner, cost-center and managed-by.",
        ),
    ] = Field(default_factory=dict)
    targets: Annotated[Targets, Field(description="Where it can go.")] = Targets()

    @field_validator("secrets")
    @classmethod
    def _variables_are_the_users(cls, secrets: dict[str, str]) -> dict[str, str]:
        for variable in secrets:
            if variable.upper().startswith(_RESERVED):
                raise rule(
                    "has {variable}, but names that begin with {prefixes} are the runtime's and the clouds'. Choose another",
                    variable=variable,
                    prefixes=", ".join(_RESERVED),
                )
        return secrets

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
    def _alerts_reach_somebody(self) -> Spec:
        if self.budget is not None and not self.alerted():
            raise rule(
                "budget.notify is missing, so nobody would get its alerts. Add it, or operations.notify",
                field="budget",
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

    def is_routed(self) -> bool:
        """Tell whether there is a live routing document: for several versions, or for a budget that acts through it."""
        acts = self.budget is not None and self.budget.actions is not None
        return len(self.versions) > 1 or acts

    def with_memory(self, memory_mb: int) -> Spec:
        """Return the same spec with other memory, of which it is not asked whether a target has it."""
        return self.model_copy(
            update={"resources": self.resources.model_copy(update={"memory_mb": memory_mb})}
        )

    def alerted(self) -> tuple[str, ...]:
        """Return the e-mail addresses that the budget's alerts are sent to."""
        if self.budget is None:
            return ()
        return self.budget.notify or (self.operations.notify if self.operations else ())


def is_uri(artifact: str) -> bool:
    """Tell whether an artifact lies in an object store or on the web."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", artifact) is not None
