"""The shape of the bootstrap's plan: every decision about what an account shares, made before Pulumi starts.

`lastmile_sls` writes it, `lastmile_infra` reads it. Standard library only, as the plan of a deployment.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

FORMAT = "lastmile.bootstrap/1"
PROJECT = "lastmile-bootstrap"
Cloud = Literal["aws", "gcp", "azure"]


class StatePlan(TypedDict):
    """Where Pulumi keeps the state of every stack of the account."""

    name: str
    """Of the bucket; on Azure of the storage account."""
    container: str | None
    """On Azure."""
    url: str
    """What `pulumi login` takes."""
    old_versions_days: int
    """Former states are kept so long."""
    incomplete_uploads_days: int


class BillingPlan(TypedDict):
    """Where the cloud writes what everything cost, in the FOCUS columns where it can."""

    name: str
    """Of AWS's bucket, Google's dataset, Azure's container."""
    location: str
    """Where that is."""
    export: str | None
    """The export's own name; None on Google, where a person makes it."""
    prefix: str | None
    """The folder that the files lie in; None on Google."""
    query: str | None
    """AWS: which columns of which table."""
    version: str | None
    """Azure: of the data's columns."""
    old_versions_days: int | None
    """AWS: each export takes the place of the one before, which is kept so long; on Azure the state's."""
    incomplete_uploads_days: int | None


class RegistryPlan(TypedDict):
    """Where container images that several models share are kept."""

    name: str
    untagged_days: int
    """Images that no tag names go after so many days; on Azure they stay."""


class KeyPlan(TypedDict):
    """What encrypts the secrets in Pulumi's state."""

    ring: str | None
    """Google's key ring, Azure's vault."""
    name: str
    """Of the key; on AWS of its alias, without `alias/`."""
    url: str
    """What `pulumi stack init --secrets-provider` takes."""
    rotation_days: int | None
    """None on Azure, where Pulumi opens secrets with the newest version of a key alone."""


class AnomalyPlan(TypedDict):
    """Who is told when what lastmile made costs more than usual. AWS."""

    name: str
    tag: dict[str, str]
    """What is watched: the tag's key and value."""
    notify: list[str]
    """E-mail addresses."""
    least_usd: int
    """What a day's surprise must cost at least."""


class Asked(TypedDict):
    """The options that the plan was made from: the next run starts from them."""

    owner: str
    cost_center: str
    billing: bool
    registry: bool
    kms: bool
    activate_tags: bool
    inherit_tags: bool
    notify: list[str]


class BootstrapPlan(TypedDict):
    """What an account shares."""

    format: str
    project: str
    stack: str
    target: Cloud
    account: str
    """AWS's account, Google's project, Azure's subscription."""
    region: str
    tags: dict[str, str]
    """On everything that takes tags."""
    group: str | None
    """Azure's resource group."""
    apis: list[str]
    """Google's APIs that are turned on, as the beginnings of their hosts."""
    cost_tags: list[str]
    """AWS: the keys of tags that the bill tells apart from then on."""
    inherit_tags: bool
    """Azure: charges get the tags of their resource group."""
    state: StatePlan
    billing: BillingPlan | None
    registry: RegistryPlan | None
    key: KeyPlan | None
    anomalies: AnomalyPlan | None
    asked: Asked
    backend: str | None
    """Where this stack's own state is since it was moved; None before that."""


def render(plan: BootstrapPlan) -> str:
    """Return the plan as text: the same plan is always the same bytes."""
    return json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path) -> BootstrapPlan:
    """Return the plan in a file. Raises ValueError when it is not a plan that this version reads."""
    plan: Any = json.loads(path.read_text(encoding="utf-8"))
    found = plan.get("format") if isinstance(plan, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path} has the format {found!r}, but this version reads {FORMAT!r}.")
    return cast("BootstrapPlan", plan)
