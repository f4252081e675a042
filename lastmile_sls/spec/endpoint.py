"""The spec's endpoint: who may call, from where, how often."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StrictInt, model_validator

from lastmile_sls.spec.section import APP, DOMAIN, ISSUER, NAME, Section, rule


class Jwt(Section):
    """Whose tokens the endpoint takes."""

    issuer: Annotated[str, Field(pattern=ISSUER, description="The issuer's URL.")]
    audiences: Annotated[
        tuple[str, ...], Field(min_length=1, description="At least one of these is in the token.")
    ]


class Cors(Section):
    """Which web pages may call the endpoint from a browser."""

    allow_origins: Annotated[
        tuple[str, ...],
        Field(min_length=1, description='Origins, such as https://app.example.com, or "*".'),
    ]


class RateLimit(Section):
    """How much the endpoint takes; more is answered 429."""

    requests_per_s: Annotated[StrictFloat, Field(gt=0, description="Sustained rate.")]
    burst: Annotated[StrictInt, Field(ge=1, description="Requests at once.")]


class Endpoint(Section):
    """How applications reach the deployment."""

    auth: Annotated[
        Literal["key", "jwt", "iam", "public"],
        Field(
            description="Who may call. key: an API key in the header x-api-key. jwt: a bearer token. iam: the cloud's own "
            "identities, see callers of each target. public: anyone."
        ),
    ] = "key"
    jwt: Annotated[Jwt | None, Field(description="Needed with auth jwt.")] = None
    keys: Annotated[
        tuple[Annotated[str, Field(pattern=NAME, max_length=40)], ...],
        Field(
            min_length=1,
            max_length=2,
            description="Names of the API keys that are valid, the newest last. To replace a key, add a second "
            "name, move the applications over, then take the first out.",
        ),
    ] = ("key",)
    cors: Annotated[Cors | None, Field(description="Default: no web page may.")] = None
    rate_limit: Annotated[RateLimit | None, Field(description="Default: none.")] = None
    domain: Annotated[
        str | None,
        Field(
            pattern=DOMAIN,
            max_length=253,
            description="A domain name of your own, for which the cloud makes a certificate.",
        ),
    ] = None
    max_payload_mb: Annotated[
        StrictFloat | None,
        Field(
            gt=0,
            description="The largest request or answer, in MB; a target that cannot carry it is refused. Default: unknown.",
        ),
    ] = None
    app: Annotated[
        str | None,
        Field(
            pattern=APP,
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
