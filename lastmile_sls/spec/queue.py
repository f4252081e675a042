"""The spec's queue: answers that come later, and who is told of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from lastmile_sls.spec.section import CALLBACK, VARIABLE, Section


class Callback(Section):
    """Who may be told of an answer that came later, by a signed request (Standard Webhooks)."""

    urls: Annotated[
        tuple[Annotated[str, Field(pattern=CALLBACK)], ...],
        Field(
            min_length=1,
            description="Callers may name a URL that begins with one of these, in the header callback-url. No other is "
            "called.",
        ),
    ]
    secret: Annotated[
        str,
        Field(
            pattern=VARIABLE,
            description="The variable that has the signing secret, whsec_ and base64: one of secrets', or on this machine "
            "one that is set where lastmile runs.",
        ),
    ]


class Queue(Section):
    """Work that waits: requests that are answered later."""

    max_attempts: Annotated[StrictInt, Field(ge=1, le=100, description="Then the message is set aside.")] = 5
    visibility_timeout_s: Annotated[
        StrictInt, Field(ge=1, le=43200, description="A worker's time for one message, in seconds.")
    ] = 180
    retention_s: Annotated[
        StrictInt, Field(ge=60, le=1209600, description="How long a message is kept, in seconds.")
    ] = 345600
    callback: Annotated[
        Callback | None, Field(description="Default: nobody is told; callers ask for their answers.")
    ] = None
