"""The bill of materials is right by the official schemas, names everything once, and is the same each time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lastmile_runtime.manifest import Manifest, TensorSpec, Version
from lastmile_sls.bundle.trust.bom import bundle_digest_of, render, serial_number
from lastmile_sls.bundle.trust.facts import Considerations, Dataset, Facts, Library, Metric, VersionFacts
from lastmile_sls.certification.compare import Report
from tests.lastmile_sls.bundle.trust.conftest import DIGEST, Built

OTHER = "sha256:" + 64 * "e"
NASTY = 'a "quoted" <b>\\ \u202e😀\n,|`'


def errors(content: bytes, schema: SchemaVersion = SchemaVersion.V1_6) -> list[str]:
    found = JsonStrictValidator(schema).validate_str(content.decode(), all_errors=True)
    return [] if found is None else [str(error) for error in found]


def bare(built: Built) -> Facts:
    """What is known when nobody says anything."""
    return Facts(built.bundle.digest, manifest(), "0.1.0")


def manifest(**changes: Any) -> Manifest:
    version = Version("v1", "onnx", "models/v1/m.onnx", inputs=[TensorSpec("x", "FP32", [-1, 3])])
    entry = {"sha256": 64 * "a", "size": 5}
    return Manifest("churn", [version], {"models/v1/m.onnx": entry}, **changes)


def by_ref(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = [document["metadata"]["component"], *document["components"]]
    while waiting:
        component = waiting.pop()
        assert component["bom-ref"] not in found
        found[component["bom-ref"]] = component
        waiting += component.get("components", [])
    return found


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in component["properties"]}


def test_it_is_right_by_the_official_schemas(facts: Facts, built: Built) -> None:
    for known in (facts, bare(built)):
        content = render(known)
        assert errors(content) == []
        newer = content.replace(b'"specVersion": "1.6"', b'"specVersion": "1.7"').replace(
            b"bom-1.6", b"bom-1.7"
        )
        assert newer != content
        assert errors(newer, SchemaVersion.V1_7) == []


def test_the_schema_would_refuse_another(facts: Facts) -> None:
    document = json.loads(render(facts))
    document["components"][0]["modelCard"]["unknown"] = 1
    assert len(errors(json.dumps(document).encode())) == 1


def test_the_same_facts_are_the_same_bytes_in_any_zone(facts: Facts) -> None:
    assert facts.made
    elsewhere = facts.made.astimezone(timezone(timedelta(hours=-5)))
    assert render(replace(facts, made=elsewhere)) == render(facts)
    assert render(facts) != render(facts, revision=2)


def test_no_time_that_is_not_given(facts: Facts) -> None:
    assert json.loads(render(facts))["metadata"]["timestamp"] == "2026-05-01T12:00:00Z"
    assert "timestamp" not in json.loads(render(replace(facts, made=None)))["metadata"]
    with pytest.raises(ValueError, match="2026-05-01 00:00:00 has no time zone"):
        render(replace(facts, made=datetime(2026, 5, 1)))  # noqa: DTZ001 - what is to be refused


def test_the_serial_number_is_the_bundles(facts: Facts) -> None:
    document = json.loads(render(facts))
    assert document["serialNumber"] == f"urn:uuid:{serial_number(facts.digest)}"
    assert UUID(serial_number(facts.digest)).version == 5
    assert serial_number(facts.digest) != serial_number(OTHER)
    assert bundle_digest_of(render(facts)) == facts.digest
    with pytest.raises(ValueError, match="'sha256:d' is not sha256: and 64 hexadecimal digits"):
        render(replace(facts, digest="sha256:d"))


def test_each_file_of_the_bundle_is_named_once_with_its_hash(facts: Facts) -> None:
    components = by_ref(json.loads(render(facts)))
    files = {ref.removeprefix("file:"): each for ref, each in components.items() if ref.startswith("file:")}
    assert {name: each["hashes"] for name, each in files.items()} == {
        name: [{"alg": "SHA-256", "content": entry["sha256"]}] for name, entry in facts.manifest.files.items()
    }
    assert components["bundle"]["hashes"] == [{"alg": "SHA-256", "content": facts.digest[7:]}]
    assert [each["name"] for each in components["app"]["components"]][-1] == "app/app.py"
    assert "lastmile_runtime/asgi.py" in [each["name"] for each in components["runtime"]["components"]]


def test_a_file_of_no_known_place_is_named_too(built: Built) -> None:
    made = manifest()
    made.files["other/x.bin"] = {"sha256": 64 * "f", "size": 1}
    assert "file:other/x.bin" in by_ref(json.loads(render(replace(bare(built), manifest=made))))


def test_the_model_and_its_card(facts: Facts) -> None:
    components = by_ref(json.loads(render(facts)))
    model = components["model:v1"]
    data, more = (each["ref"] for each in model["modelCard"]["modelParameters"]["datasets"])
    assert model["hashes"][0]["content"] == facts.manifest.files["models/v1/model.pipeline.json"]["sha256"]
    assert (model["name"], model["version"], model["description"]) == ("churn", "v1", "The first one.")
    assert model["modelCard"] == {
        "modelParameters": {
            "task": "classification",
            "inputs": [{"format": "input: FP64 [any, 2]"}],
            "outputs": [{"format": "predict: INT64 [any]"}, {"format": "predict_proba: FP64 [any, 2]"}],
            "datasets": [{"ref": data}, {"ref": more}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {
                    "type": "AUC",
                    "value": "0.91",
                    "slice": "Ireland",
                    "confidenceInterval": {"lowerBound": "0.88", "upperBound": "0.93"},
                },
                {"type": "accuracy", "value": "high"},
                {"type": "F1", "value": "0.5"},
            ]
        },
        "considerations": {
            "users": ["The sales team"],
            "useCases": ["Whom to call"],
            "technicalLimitations": ["Customers of less than a month"],
            "performanceTradeoffs": ["Recall before precision"],
            "ethicalConsiderations": [
                {"name": "Age may stand for other things", "mitigationStrategy": "Reviewed each quarter"},
                {"name": "Unknown"},
            ],
        },
    }
    assert components[data]["hashes"] == [{"alg": "SHA-256", "content": DIGEST[7:]}]
    assert components[data]["data"][0]["contents"] == {"url": "s3://data/customers%202025.parquet"}
    assert "hashes" not in components[more]


def test_the_certification_is_told(facts: Facts) -> None:
    found = properties(by_ref(json.loads(render(facts)))["model:v1"])
    report = facts.versions["v1"].report
    assert report
    assert found["lastmile:predictor"] == "pipeline"
    assert found["lastmile:framework"] == "scikit-learn"
    assert found["lastmile:columns"] == "age, income"
    assert found["lastmile:certification:passed"] == "true"
    assert int(found["lastmile:certification:rows"]) == report.rows > 0
    assert float(found["lastmile:certification:largest-difference"]) == report.largest_difference
    assert {key for key in found if "tolerance" in key} == {
        f"lastmile:certification:tolerance:{name}" for name in report.tolerances
    }
    plain = properties(by_ref(json.loads(render(facts)))["model:v2"])
    assert plain == {"lastmile:predictor": "python"}


def test_packages_are_named_as_the_registry_does(facts: Facts) -> None:
    found = {each.get("purl"): each for each in json.loads(render(facts))["components"]}
    learn = found["pkg:pypi/scikit-learn@1.9.1"]
    assert learn["bom-ref"] == f"pkg:pypi/scikit-learn@1.9.1?checksum=sha256:{64 * 'a'}"
    assert learn["licenses"] == [{"expression": "BSD-3-Clause"}]
    local = found["pkg:pypi/numpy@2.4.6%2Blocal"]
    assert local["licenses"] == [{"expression": "BSD-3-Clause AND MIT"}]
    assert "hashes" not in local
    assert found["pkg:pypi/other@1"]["licenses"] == [{"license": {"name": "See the website"}}]
    assert "licenses" not in found["pkg:pypi/nameless@2"]


def test_what_is_given_twice_stands_once(built: Built) -> None:
    data, library = Dataset("d"), Library("x", "1", 64 * "a")
    known = replace(
        bare(built),
        libraries=(library, library, Library("x", "1", 64 * "b")),
        versions={"v1": VersionFacts(data=(data, data, Dataset("d", DIGEST)))},
    )
    components = by_ref(json.loads(render(known)))
    assert len([ref for ref in components if ref.startswith("data:")]) == 2
    assert len([ref for ref in components if ref.startswith("pkg:")]) == 2
    assert errors(render(known)) == []


def test_a_version_of_another_function_leads_to_its_own_bill(built: Built) -> None:
    remote = Version("v2", "remote", "", remote={"function": "churn-v2", "digest": OTHER})
    made = manifest()
    made.versions.append(remote)
    content = render(replace(bare(built), manifest=made))
    model = by_ref(json.loads(content))["model:v2"]
    assert model["externalReferences"] == [{"type": "bom", "url": f"urn:cdx:{serial_number(OTHER)}/1"}]
    assert properties(model)["lastmile:remote:function"] == "churn-v2"
    assert "hashes" not in model
    assert errors(content) == []


def test_any_text_is_kept(built: Built) -> None:
    known = VersionFacts(
        NASTY,
        NASTY,
        NASTY,
        Report(1, {}, 0, float("inf"), None, 0, NASTY, {NASTY: 1e-9}),
        (Metric(NASTY, float("nan"), NASTY, float("-inf")),),
        (Dataset(NASTY, "", NASTY, NASTY),),
        Considerations((NASTY,), (NASTY,), (NASTY,), (NASTY,), ((NASTY, NASTY),)),
    )
    facts = replace(
        bare(built),
        owner=NASTY,
        description=NASTY,
        versions={"v1": known},
        libraries=(Library(NASTY, NASTY, "", NASTY),),
    )
    content = render(facts)
    assert errors(content) == []
    assert json.loads(content)["metadata"]["component"]["description"] == NASTY
    assert properties(by_ref(json.loads(content))["model:v1"])["lastmile:certification:failure"] == NASTY


def test_the_librarys_reader_takes_the_same_from_it(facts: Facts) -> None:
    document = json.loads(render(facts))
    read: Bom = Bom.from_json(document)  # type: ignore[attr-defined]
    assert read.serial_number == UUID(serial_number(facts.digest))
    assert read.metadata.timestamp == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert read.metadata.component
    assert [each.content for each in read.metadata.component.hashes] == [facts.digest[7:]]

    def inside(component: Component) -> list[Component]:
        return [component, *(found for each in component.components for found in inside(each))]

    found = {
        str(each.bom_ref.value): each
        for each in inside(read.metadata.component)
        + [found for component in read.components for found in inside(component)]
    }
    expected = by_ref(document)
    assert set(found) == set(expected)
    for ref, component in found.items():
        assert component.name == expected[ref]["name"]
        assert component.type == ComponentType(expected[ref]["type"])
        hashes = [each["content"] for each in expected[ref].get("hashes", [])]
        assert [each.content for each in component.hashes] == hashes
        assert str(component.purl or "") == expected[ref].get("purl", "")
    (depends,) = [each for each in read.dependencies if each.ref.value == "bundle"]
    assert {each.ref.value for each in depends.dependencies} == {
        each["bom-ref"] for each in document["components"]
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda document: document.pop("metadata"), "it names no bundle"),
        (lambda document: document["metadata"].update(properties=[]), "it names no bundle"),
        (lambda document: document["metadata"]["properties"][0].update(value="x"), "it names no bundle"),
        (
            lambda document: document["metadata"]["properties"][0].update(value=OTHER),
            "its serialNumber and its hash are not those of the bundle that it names",
        ),
    ],
)
def test_a_bill_that_does_not_say_of_what_is_refused(facts: Facts, change: Any, told: str) -> None:
    document = json.loads(render(facts))
    change(document)
    with pytest.raises(ValueError) as refused:
        bundle_digest_of(json.dumps(document).encode())
    assert str(refused.value) == told
