"""The bill of materials of a bundle: its models, their data, the runtime and every package, as CycloneDX ML-BOM.

It is written as JSON by hand: cyclonedx-python-lib has no model cards. CycloneDX 1.6 (ECMA-424) is what readers of bills
of materials take today; what is written here is also right by 1.7.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from lastmile_runtime.manifest import FILE, RUNTIME, RUNTIME_FILES, TensorSpec, Version
from lastmile_sls.bundle.trust.facts import (
    Considerations,
    Dataset,
    Facts,
    Library,
    Metric,
    VersionFacts,
    hexadecimal,
    number,
    shape_of,
    written,
)

SPEC_VERSION = "1.6"
_ROOT, _RUNTIME, _APP, _PYTHON = "bundle", "runtime", "app", "python"
_DIGEST = "lastmile:bundle:digest"
"""The property of the whole that holds the bundle's digest."""
Json = dict[str, Any]


def render(facts: Facts, revision: int = 1) -> bytes:
    """Return the bill of materials; the same facts are always the same bytes.

    Args:
        facts: What is known of the bundle.
        revision: The document's version: raise it when what is known of the same bundle changed.

    Raises ValueError for a digest that is none, and a time without its zone.
    """
    components = _components(facts)
    document: Json = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{serial_number(facts.digest)}",
        "version": revision,
        "metadata": _metadata(facts),
        "components": components,
        "dependencies": [
            {"ref": _ROOT, "dependsOn": sorted(component["bom-ref"] for component in components)}
        ],
    }
    return (
        json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def bundle_digest_of(content: bytes) -> str:
    """Return the digest of the bundle that a bill of materials is of. Raises ValueError when it does not say."""
    document = json.loads(content)
    try:
        (found,) = [item["value"] for item in document["metadata"]["properties"] if item["name"] == _DIGEST]
        serial = f"urn:uuid:{serial_number(found)}"
        (file_hash,) = document["metadata"]["component"]["hashes"]
        named = (document["serialNumber"], file_hash["content"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it names no bundle") from error
    if named != (serial, hexadecimal(found)):
        raise ValueError("its serialNumber and its hash are not those of the bundle that it names")
    return str(found)


def serial_number(digest: str) -> str:
    """Return the UUID of the bill of materials of the bundle with this digest. Raises ValueError when it is none."""
    return str(uuid5(NAMESPACE_URL, f"lastmile:bundle:{hexadecimal(digest)}"))


def _metadata(facts: Facts) -> Json:
    tool = {"type": "application", "name": "lastmile-sls", "version": facts.lastmile}
    described = _given(description=facts.description)
    return {
        "lifecycles": [{"phase": "build"}],
        "tools": {"components": [tool]},
        "component": {
            "type": "application",
            "bom-ref": _ROOT,
            "name": facts.manifest.model,
            "hashes": [_sha256(hexadecimal(facts.digest))],
            **described,
        },
        "properties": _properties({_DIGEST: facts.digest, "lastmile:bundle:hashed": FILE}),
        **({"supplier": {"name": facts.owner}} if facts.owner else {}),
        **({"timestamp": written(facts.made)} if facts.made else {}),
    }


def _components(facts: Facts) -> list[Json]:
    """Return everything in the bundle and beside it: each of the manifest's files once."""
    versions = facts.manifest.versions
    taken = {name for version in versions for name in facts.files_of(version)}
    runtime = [
        name
        for name in sorted(facts.manifest.files)
        if name.startswith(f"{RUNTIME}/") or name == RUNTIME_FILES
    ]
    app = [name for name in sorted(facts.manifest.files) if name.startswith("app/")]
    rest = sorted(set(facts.manifest.files) - taken - {*runtime, *app})
    datasets = dict.fromkeys(dataset for version in versions for dataset in facts.of(version).data)
    found = [_model(facts, version) for version in versions]
    found += [_dataset(dataset) for dataset in datasets]
    if runtime:
        found.append(_group(facts, _RUNTIME, "framework", "lastmile_runtime", facts.lastmile, runtime))
    if app:
        found.append(_group(facts, _APP, "application", "app", "", app))
    found += _files(facts, rest)
    if facts.python:
        found.append({"type": "platform", "bom-ref": _PYTHON, "name": "CPython", "version": facts.python})
    return found + [_library(library) for library in dict.fromkeys(facts.libraries)]


def _group(facts: Facts, ref: str, kind: str, name: str, version: str, files: Sequence[str]) -> Json:
    named = {"type": kind, "bom-ref": ref, "name": name, **_given(version=version)}
    return {**named, "components": _files(facts, files)}


def _files(facts: Facts, names: Iterable[str]) -> list[Json]:
    files = facts.manifest.files
    return [
        {
            "type": "file",
            "bom-ref": f"file:{name}",
            "name": name,
            "hashes": [_sha256(files[name]["sha256"])],
            "properties": _properties({"lastmile:file:bytes": str(files[name]["size"])}),
        }
        for name in names
    ]


def _model(facts: Facts, version: Version) -> Json:
    known = facts.of(version)
    files = facts.files_of(version)
    document: Json = {
        "type": "machine-learning-model",
        "bom-ref": f"model:{version.id}",
        "name": facts.manifest.model,
        "version": version.id,
        "modelCard": _model_card(version, known),
        "properties": _properties({**_served(version, known), **_certified(known)}),
        **_given(description=known.description),
    }
    if files:
        document["hashes"] = [_sha256(facts.manifest.files[files[0]]["sha256"])]
        document["components"] = _files(facts, files)
    digest = (version.remote or {}).get("digest")
    if digest:
        link = f"urn:cdx:{serial_number(digest)}/1"
        document["externalReferences"] = [{"type": "bom", "url": link}]
    return document


def _served(version: Version, known: VersionFacts) -> dict[str, str]:
    found = {"lastmile:predictor": version.predictor, "lastmile:columns": ", ".join(version.columns)}
    found["lastmile:framework"] = known.framework
    for key, value in (version.remote or {}).items():
        found[f"lastmile:remote:{key}"] = value
    return {key: value for key, value in found.items() if value}


def _certified(known: VersionFacts) -> dict[str, str]:
    report = known.report
    if report is None:
        return {}
    found = {
        "passed": "true" if report.passed else "false",
        "rows": str(report.rows),
        "refused": str(report.refused),
        "flips": str(report.flips),
        "largest-difference": number(report.largest_difference),
        "failure": report.failure or "",
    }
    found |= {f"tolerance:{name}": number(value) for name, value in report.tolerances.items()}
    return {f"lastmile:certification:{key}": value for key, value in found.items() if value}


def _model_card(version: Version, known: VersionFacts) -> Json:
    parameters: Json = {
        "inputs": [_tensor(tensor) for tensor in version.inputs],
        "outputs": [_tensor(tensor) for tensor in version.outputs],
        "datasets": [{"ref": _dataset_ref(dataset)} for dataset in known.data],
        **_given(task=known.task),
    }
    card: Json = {"modelParameters": {key: value for key, value in parameters.items() if value}}
    if known.metrics:
        metrics = [_metric(metric) for metric in known.metrics]
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    if considered := _considered(known.considerations):
        card["considerations"] = considered
    return card


def _tensor(tensor: TensorSpec) -> Json:
    return {"format": f"{tensor.name}: {tensor.datatype} {shape_of(tensor.shape)}"}


def _metric(metric: Metric) -> Json:
    bounds = {"lowerBound": metric.lower, "upperBound": metric.upper}
    given = {key: number(value) for key, value in bounds.items() if value is not None}
    interval = {"confidenceInterval": given} if given else {}
    return {"type": metric.name, "value": number(metric.value), **_given(slice=metric.slice), **interval}


def _considered(considerations: Considerations) -> Json:
    risks = [{"name": name, **_given(mitigationStrategy=strategy)} for name, strategy in considerations.risks]
    found: Json = {
        "users": list(considerations.users),
        "useCases": list(considerations.use_cases),
        "technicalLimitations": list(considerations.limitations),
        "performanceTradeoffs": list(considerations.trade_offs),
        "ethicalConsiderations": risks,
    }
    return {key: value for key, value in found.items() if value}


def _dataset(dataset: Dataset) -> Json:
    contents = {"contents": {"url": quote(dataset.uri, safe="%/:?#[]@!$&'()*+,;=")}} if dataset.uri else {}
    hashes = {"hashes": [_sha256(hexadecimal(dataset.digest))]} if dataset.digest else {}
    return {
        "type": "data",
        "bom-ref": _dataset_ref(dataset),
        "name": dataset.name,
        "data": [{"type": "dataset", "name": dataset.name, **contents}],
        **_given(description=dataset.description),
        **hashes,
    }


def _dataset_ref(dataset: Dataset) -> str:
    """Return the reference of a dataset: two with the same name differ in what else is known of them."""
    return f"data:{uuid5(NAMESPACE_URL, repr(dataset))}"


def _library(library: Library) -> Json:
    from packaging.utils import canonicalize_name

    purl = f"pkg:pypi/{canonicalize_name(library.name)}@{quote(library.version, safe='')}"
    checksum = f"?checksum=sha256:{library.sha256}" if library.sha256 else ""
    return {
        "type": "library",
        "bom-ref": purl + checksum,
        "name": library.name,
        "version": library.version,
        "purl": purl,
        **({"hashes": [_sha256(library.sha256)]} if library.sha256 else {}),
        **({"licenses": [_licence(library.licence)]} if library.licence else {}),
    }


def _licence(text: str) -> Json:
    """Return a licence: an SPDX expression where it is one, else a name that a person chose."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return {"expression": str(canonicalize_license_expression(text))}
    except InvalidLicenseExpression:
        return {"license": {"name": text}}


def _sha256(content: str) -> Json:
    return {"alg": "SHA-256", "content": content}


def _properties(named: dict[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in sorted(named.items())]


def _given(**texts: str) -> Json:
    """Return the texts that are not empty."""
    return {name: text for name, text in texts.items() if text}
