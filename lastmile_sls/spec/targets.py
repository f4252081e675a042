"""The spec's targets: where the deployment can go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from lastmile_sls.spec.section import REGION, Section


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


class Gcp(Section):
    """Google Cloud."""

    project: Annotated[str | None, Field(description="The project's id.")] = None
    region: Annotated[str | None, Field(description="Such as europe-west1.")] = None


class Azure(Section):
    """Microsoft Azure."""

    subscription: Annotated[str | None, Field(description="The subscription's id.")] = None
    location: Annotated[str | None, Field(description="Such as westeurope.")] = None


class Targets(Section):
    """Where the deployment can go, and what each place needs to know."""

    local: Annotated[Local, Field(description="This machine.")] = Local()
    aws: Annotated[Aws, Field(description="Amazon Web Services.")] = Aws()
    gcp: Annotated[Gcp, Field(description="Google Cloud.")] = Gcp()
    azure: Annotated[Azure, Field(description="Microsoft Azure.")] = Azure()
