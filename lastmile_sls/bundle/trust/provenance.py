"""How a bundle was made, as an in-toto statement with the predicate SLSA provenance v1 (https://slsa.dev/provenance/v1).

It is what the one who built it says. It becomes evidence when somebody who is trusted signs it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lastmile_sls.bundle.trust.facts import hexadecimal, written
from lastmile_sls.bundle.trust.source import Person, Source

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILDER = "pkg:pypi/lastmile-sls"
BUILD_TYPE = f"{BUILDER}#bundle/1"
"""How the predicate's parameters and dependencies are to be read: as `Build` has them."""
_SPEC, _LOCK, _SOURCE = "spec", "lock", "source"
Json = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """Something that a bundle was made from."""

    name: str
    digest: str
    """`sha256:...`"""
    uri: str = ""


@dataclass(frozen=True)
class Build:
    """How a bundle was made."""

    function: str
    """The function whose bundle it is."""
    bundle_digest: str
    lastmile: str
    """The version of lastmile-sls that built it."""
    spec: Material
    made: datetime
    """When, with a time zone."""
    source: Source
    lock: Material | None = None
    """The packages that are installed with it."""
    data: Sequence[Material] = ()
    """What the models were trained on, as their owner says."""
    by: Person | None = None
    """Who built it; None leaves it out."""


def render(build: Build) -> bytes:
    """Return the statement; the same build is always the same bytes.

    Raises ValueError for a digest that is none, and a time without its zone.
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": build.function, "digest": _digest(build.bundle_digest)}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"buildDefinition": _definition(build), "runDetails": _run(build)},
    }
    return (json.dumps(statement, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def bundle_digest_of(content: bytes) -> str:
    """Return the digest of the bundle that a statement is of. Raises ValueError when it does not say."""
    statement = json.loads(content)
    try:
        (subject,) = statement["subject"]
        digest = f"sha256:{subject['digest']['sha256']}"
        types = (statement["_type"], statement["predicateType"])
        hexadecimal(digest)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it names no bundle") from error
    if types != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError("it is no statement of SLSA provenance v1")
    return digest


def _definition(build: Build) -> Json:
    materials = [_material(build.spec, _SPEC)]
    if build.lock:
        materials.append(_material(build.lock, _LOCK))
    if build.source.revision:
        materials.append(_revision(build.source))
    materials += [_material(material, "data") for material in build.data]
    internal: Json = {}
    if build.by:
        internal["builtBy"] = {"name": build.by.name} | ({"email": build.by.email} if build.by.email else {})
    if build.source.missing:
        internal["noRevision"] = build.source.missing
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {"function": build.function, "spec": build.spec.name},
        "internalParameters": internal,
        "resolvedDependencies": materials,
    }


def _run(build: Build) -> Json:
    return {
        "builder": {"id": BUILDER, "version": {"lastmile-sls": build.lastmile}},
        "metadata": {"finishedOn": written(build.made)},
    }


def _material(material: Material, role: str) -> Json:
    described = {"name": material.name, "digest": _digest(material.digest), "annotations": {"role": role}}
    return {**described, "uri": material.uri} if material.uri else described


def _revision(source: Source) -> Json:
    annotations = {"role": _SOURCE, "dirty": source.dirty, "changes": source.changes}
    described = {"name": _SOURCE, "digest": {"gitCommit": source.revision}, "annotations": annotations}
    return {**described, "uri": f"git+{source.remote}"} if source.remote else described


def _digest(digest: str) -> dict[str, str]:
    return {"sha256": hexadecimal(digest)}
