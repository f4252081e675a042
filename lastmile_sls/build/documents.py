"""The documents beside each bundle: what is in it, how good it is, how it was made, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import digest
from lastmile_sls.bundle.build import BuiltBundle
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import FILE as LOCK
from lastmile_sls.bundle.trust import bom, contents, model_card, provenance, statement
from lastmile_sls.bundle.trust.beside import (
    BOM,
    CARD,
    PROVENANCE,
    SIGNATURE,
    bind,
    certification_name,
    folder_of,
    write_documents,
)
from lastmile_sls.bundle.trust.facts import Dataset, Facts, Library, VersionFacts
from lastmile_sls.bundle.trust.provenance import Build, Material
from lastmile_sls.bundle.trust.source import find_person, find_source
from lastmile_sls.certification.compare import FORMAT
from lastmile_sls.compile.choose import Choice
from lastmile_sls.spec.model import Spec

_PACKAGE = "lastmile-sls"


@dataclass(frozen=True)
class Origin:
    """What a build was made from, for provenance."""

    spec: Spec
    spec_path: Path
    environment: Environment | None
    environ: Mapping[str, str]


def document_bundle(
    function: str, bundle: BuiltBundle, folder: Path, models: Sequence[Choice], origin: Origin
) -> None:
    """Write the documents of a function's bundle; a signature of the same bundle stays. Raises LastmileError.

    Args:
        function: The function's name.
        bundle: Its bundle.
        folder: Where the bundle lies now.
        models: What was chosen for the versions that it serves itself.
        origin: What it was made from.
    """
    facts = _facts(bundle, folder, models, origin)
    contents = {
        BOM: bom.render(facts),
        CARD: model_card.render(facts),
        PROVENANCE: provenance.render(_build(function, bundle, origin)),
    }
    for model in models:
        contents[certification_name(model.version.id)] = bind(certification(model), bundle.digest)
    contents |= _signature(folder_of(folder), bundle.digest)
    write_documents(folder_of(folder), bundle.digest, contents)


def certification(model: Choice) -> dict[str, Any]:
    """Return what is known of a version's answers: the proof, where it is compiled, and what the original answers."""
    proof = model.report.to_json() if model.report else {"format": FORMAT, "passed": None}
    return {
        **proof,
        "version": model.version.id,
        "predictor": model.version.predictor,
        "examples": [vars(example) for example in model.examples],
    }


def _signature(folder: Path, bundle_digest: str) -> dict[str, bytes]:
    path = folder / SIGNATURE
    try:
        content = path.read_bytes()
        return {SIGNATURE: content} if statement.parse(content).bundle_digest == bundle_digest else {}
    except (OSError, statement.GarbledError):
        return {}


def _facts(bundle: BuiltBundle, folder: Path, models: Sequence[Choice], origin: Origin) -> Facts:
    spec, by_id = origin.spec, {version.id: version for version in origin.spec.versions}
    versions = {}
    for model in models:
        entry = by_id[model.version.id]
        data = (Dataset("training data", entry.data),) if entry.data else ()
        versions[entry.id] = VersionFacts(entry.framework, entry.description, report=model.report, data=data)
    libraries = bundle.libraries.packages if bundle.libraries else ()
    return Facts(
        bundle.digest,
        contents.read_manifest(folder)[0],
        version_of(_PACKAGE),
        owner=spec.owner,
        description=spec.description,
        versions=versions,
        libraries=tuple(Library(found.name, found.version, found.sha256) for found in libraries),
        python=origin.environment.python if origin.environment else "",
    )


def _build(function: str, bundle: BuiltBundle, origin: Origin) -> Build:
    folder = origin.spec_path.resolve().parent
    lock = folder / LOCK
    return Build(
        function,
        bundle.digest,
        version_of(_PACKAGE),
        Material(origin.spec_path.name, digest(origin.spec_path.read_bytes())),
        datetime.now(UTC).replace(microsecond=0),
        find_source(folder, origin.environ),
        Material(LOCK, digest(lock.read_bytes())) if lock.exists() and bundle.libraries else None,
        [Material(f"data of {v.id}", v.data) for v in origin.spec.versions if v.data],
        find_person(folder, origin.environ),
    )
