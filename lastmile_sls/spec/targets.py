"""The spec's targets: where the deployment can go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from lastmile_sls.spec.section import (
    ACCOUNT,
    AZURE_ZONE,
    BILLING_ACCOUNT,
    BUCKET,
    CERTIFICATE,
    CONTAINER,
    GOOGLE_REGION,
    GUID,
    HOSTED_ZONE,
    KEY_VAULT,
    LOCATION,
    MANAGED_ZONE,
    MEMBER,
    PROJECT,
    REGION,
    RESOURCE_GROUP,
    ROLE,
    Section,
    rule,
)

_BASE = (
    "The image that the function's is built on, with its Python: a registry's reference, such as "
    "docker.io/library/python:3.13-slim, or oci:FOLDER, an OCI layout. lastmile.lock keeps its digest."
)


class Local(Section):
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


class Aws(Section):
    """Amazon Web Services."""

    region: Annotated[str | None, Field(pattern=REGION, description="Such as eu-west-1.")] = None
    account: Annotated[
        str | None, Field(pattern=ACCOUNT, description="Deploy to this account, and refuse any other.")
    ] = None
    gateway: Annotated[
        Literal["http_api", "function_url"],
        Field(
            description="What is in front of the function: API Gateway's HTTP API, or the function's own URL, which costs "
            "nothing, waits up to 15 minutes, and has neither rate limit nor domain."
        ),
    ] = "http_api"
    package: Annotated[
        Literal["zip", "image"], Field(description="What Lambda gets: a zip, or a container image.")
    ] = "zip"
    base_image: Annotated[str | None, Field(min_length=1, description=f"{_BASE} package image only.")] = None
    snap_start: Annotated[
        StrictBool,
        Field(
            description="Start instances from a snapshot of a started one. It is paid for by memory and hour."
        ),
    ] = False
    bucket: Annotated[
        str | None,
        Field(pattern=BUCKET, description="An S3 bucket of yours to use. Default: one is made."),
    ] = None
    hosted_zone: Annotated[
        str | None,
        Field(
            pattern=HOSTED_ZONE,
            description="The id of Route 53's zone for endpoint.domain. Default: you make the records.",
        ),
    ] = None
    certificate: Annotated[
        str | None,
        Field(
            pattern=CERTIFICATE,
            description="The ARN of a certificate of Certificate Manager's for endpoint.domain, in the region. "
            "Default: one is made, for which hosted_zone is needed.",
        ),
    ] = None
    callers: Annotated[
        tuple[Annotated[str, Field(pattern=ROLE)], ...],
        Field(description="Names of the IAM roles that may call, with auth iam."),
    ] = ()


class Gcp(Section):
    """Google Cloud."""

    project: Annotated[str | None, Field(pattern=PROJECT, description="The project's id.")] = None
    region: Annotated[str | None, Field(pattern=GOOGLE_REGION, description="Such as europe-west1.")] = None
    base_image: Annotated[str | None, Field(min_length=1, description=_BASE)] = None
    billing_account: Annotated[
        str | None, Field(pattern=BILLING_ACCOUNT, description="The id of the account that a budget is of.")
    ] = None
    bucket: Annotated[
        str | None,
        Field(pattern=BUCKET, description="A Cloud Storage bucket of yours to use. Default: one is made."),
    ] = None
    dns_zone: Annotated[
        str | None,
        Field(
            pattern=MANAGED_ZONE,
            description="The name of Cloud DNS's managed zone for endpoint.domain. Default: you make the records.",
        ),
    ] = None
    callers: Annotated[
        tuple[Annotated[str, Field(pattern=MEMBER)], ...],
        Field(
            description="Members that may call, with auth iam, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com."
        ),
    ] = ()


class Azure(Section):
    """Microsoft Azure."""

    subscription: Annotated[str | None, Field(pattern=GUID, description="The subscription's id.")] = None
    location: Annotated[str | None, Field(pattern=LOCATION, description="Such as westeurope.")] = None
    package: Annotated[
        Literal["zip", "image"],
        Field(description="zip, for Azure Functions, or a container image, for Container Apps."),
    ] = "zip"
    base_image: Annotated[str | None, Field(min_length=1, description=f"{_BASE} package image only.")] = None
    bucket: Annotated[
        str | None,
        Field(
            pattern=CONTAINER,
            description="A storage account and container of yours to use, ACCOUNT/CONTAINER. Default: they are made.",
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        Field(
            pattern=RESOURCE_GROUP,
            description="The resource group of that bucket and of key_vault, if they are yours.",
        ),
    ] = None
    key_vault: Annotated[
        str | None,
        Field(
            pattern=KEY_VAULT,
            description="The name of the Key Vault that has the secrets.",
        ),
    ] = None
    dns_zone: Annotated[
        str | None,
        Field(
            pattern=AZURE_ZONE,
            description="Azure DNS's zone for endpoint.domain, RESOURCE_GROUP/ZONE. Default: you make the records.",
        ),
    ] = None
    tenant: Annotated[
        str | None, Field(pattern=GUID, description="The Entra tenant whose identities call, with auth iam.")
    ] = None
    application: Annotated[
        str | None,
        Field(
            pattern=GUID,
            description="The client id of the Entra application that callers ask a token for, with auth iam.",
        ),
    ] = None
    callers: Annotated[
        tuple[Annotated[str, Field(pattern=GUID)], ...],
        Field(description="Object ids of the identities that may call, with auth iam."),
    ] = ()

    @model_validator(mode="after")
    def _yours_need_their_group(self) -> Azure:
        if (self.bucket or self.key_vault) and not self.resource_group:
            raise rule("needs resource_group, where the bucket or the key_vault of yours is")
        return self


class Targets(Section):
    """Where the deployment can go, and what each place needs to know."""

    local: Annotated[Local, Field(description="This machine.")] = Local()
    aws: Annotated[Aws, Field(description="Amazon Web Services.")] = Aws()
    gcp: Annotated[Gcp, Field(description="Google Cloud.")] = Gcp()
    azure: Annotated[Azure, Field(description="Microsoft Azure.")] = Azure()
