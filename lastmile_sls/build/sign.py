"""Signs the bundles of a project, and verifies what signed them and the documents beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.build.prepare import Prepared
from lastmile_sls.bundle.trust.beside import (
    SIGNATURE,
    folder_of,
    read_documents,
    verify_documents,
    write_documents,
)
from lastmile_sls.bundle.verify import verify_bundle
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Plan
from lastmile_sls.spec.signature import Signature

if TYPE_CHECKING:
    from lastmile_sls.bundle.trust.signature import Verified
    from lastmile_sls.bundle.trust.signers import Signer, Trusted


@dataclass(frozen=True)
class Finding:
    """What was found of one function's bundle."""

    function: str
    digest: str
    files: int
    """How many files were compared with the manifest."""
    problems: list[str]
    signer: str | None
    """Who signed it; None where nobody who is trusted did, or nobody was asked for."""


def sign_bundles(project: Path, plan: Plan, signer: Signer) -> list[str]:
    """Sign each bundle of a project; return the functions. Raises LastmileError."""
    from lastmile_sls.bundle.trust.signature import sign

    signed = []
    for function in plan["functions"]:
        bundle = project / function["bundle"]["path"]
        documents = folder_of(bundle)
        half = documents.with_name(f".{documents.name}.signature")
        try:
            sign(bundle, half, signer, now=datetime.now(UTC))
            contents = {**read_documents(documents).contents, SIGNATURE: half.read_bytes()}
            write_documents(documents, function["bundle"]["digest"], contents)
        finally:
            half.unlink(missing_ok=True)
        signed.append(function["name"])
    return signed


def require_signatures(prepared: Prepared, spec_path: Path) -> None:
    """Raise LastmileError unless whom the spec names signed each bundle; return when it names nobody."""
    asked = prepared.spec.bundle.signature
    if asked is None:
        return
    for function in prepared.plan["functions"]:
        verify_signature(prepared.bundle(function["name"]), trusted_by(asked, spec_path), function["name"])


def verify_signature(bundle: Path, trusted: Trusted, function: str) -> Verified:
    """Verify a bundle's signature. Raises LastmileError."""
    from lastmile_sls.bundle.trust.signature import verify

    path = folder_of(bundle) / SIGNATURE
    if not path.exists():
        raise LastmileError(
            f"the bundle of {function} is not signed, but the spec has bundle.signature.",
            "Sign it: lastmile sign --key PRIVATE.pem",
        )
    return verify(bundle, path, trusted, now=datetime.now(UTC))


def trusted_by(asked: Signature, spec_path: Path) -> Trusted:
    """Return whom a spec trusts."""
    from lastmile_sls.bundle.trust.signers import Certificates, Identity, PublicKey

    folder = spec_path.resolve().parent
    if asked.key is not None:
        return PublicKey(folder / asked.key)
    if asked.certificates:
        return Certificates(tuple(folder / name for name in asked.certificates))
    assert asked.identity is not None
    assert asked.issuer is not None
    return Identity(asked.identity, asked.issuer)


def verify_project(project: Path, plan: Plan, trusted: Trusted | None) -> list[Finding]:
    """Compare every file of every bundle with what the plan names, and the documents with their bundle."""
    found = []
    for function in plan["functions"]:
        bundle, digest = project / function["bundle"]["path"], function["bundle"]["digest"]
        problems, files, signer = [], 0, None
        try:
            files = verify_bundle(bundle, digest)
        except LastmileError as error:
            problems.append(error.message)
        problems += [str(problem) for problem in verify_documents(digest, folder_of(bundle))]
        if trusted is not None:
            try:
                signer = verify_signature(bundle, trusted, function["name"]).signer
            except LastmileError as error:
                problems.append(error.message)
        found.append(Finding(function["name"], digest, files, problems, signer))
    return found
