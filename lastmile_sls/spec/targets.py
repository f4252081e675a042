"""The spec's targets: where the deployment can go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from lastmile_sls.spec.section import REGION, Section

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
    package: Annotated[
        Literal["zip", "image"], Field(description="What Lambda gets: a zip, or a container image.")
    ] = "zip"
    base_image: Annotated[str | None, Field(min_length=1, description=f"{_BASE} package image only.")] = None


class Gcp(Section):
    """Google Cloud."""

    project: Annotated[str | None, Field(description="The project's id.")] = None
    region: Annotated[str | None, Field(description="Such as europe-west1.")] = None
    base_image: Annotated[str | None, Field(min_length=1, description=_BASE)] = None


class Azure(Section):
    """Microsoft Azure."""

    subscription: Annotated[str | None, Field(description="The subscription's id.")] = None
    location: Annotated[str | None, Field(description="Such as westeurope.")] = None
    package: Annotated[
        Literal["zip", "image"],
        Field(description="zip, for Azure Functions, or a container image, for Container Apps."),
    ] = "zip"
    base_image: Annotated[str | None, Field(min_length=1, description=f"{_BASE} package image only.")] = None


class Targets(Section):
    """Where the deployment can go, and what each place needs to know."""

    local: Annotated[Local, Field(description="This machine.")] = Local()
    aws: Annotated[Aws, Field(description="Amazon Web Services.")] = Aws()
    gcp: Annotated[Gcp, Field(description="Google Cloud.")] = Gcp()
    azure: Annotated[Azure, Field(description="Microsoft Azure.")] = Azure()
