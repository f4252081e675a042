"""The spec's signature: who must have signed what is deployed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from lastmile_sls.spec.section import ISSUER, Section, rule


class Signature(Section):
    """Who must have signed the bundle: a key, authorities' certificates, or an identity of Sigstore."""

    key: Annotated[str | None, Field(description="The public key, a PEM file relative to this spec.")] = None
    certificates: Annotated[
        tuple[str, ...], Field(description="PEM files of the authorities whose certificates may sign.")
    ] = ()
    identity: Annotated[
        str | None,
        Field(
            description="Who signs with Sigstore: an e-mail address or a workflow's URL. It has not been tried against "
            "Sigstore's servers."
        ),
    ] = None
    issuer: Annotated[str | None, Field(pattern=ISSUER, description="Who vouches for the identity.")] = None

    @model_validator(mode="after")
    def _one_kind(self) -> Signature:
        if (self.identity is None) != (self.issuer is None):
            raise rule("needs identity and issuer together")
        if sum((self.key is not None, bool(self.certificates), self.identity is not None)) != 1:
            raise rule("needs one of key, certificates, or identity with issuer, and no more")
        return self
