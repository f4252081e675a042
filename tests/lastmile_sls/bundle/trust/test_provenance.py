"""Provenance is a statement that in-toto's own library reads, about one bundle, the same each time."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from lastmile_sls.bundle.trust.provenance import Build, Material, bundle_digest_of, render
from lastmile_sls.bundle.trust.source import Person, Source
from tests.lastmile_sls.bundle.trust.conftest import DIGEST
from tests.lastmile_sls.bundle.trust.pki import NOW

SPEC = Material("lastmile.yaml", "sha256:" + 64 * "1")
BUILD = Build(
    function="churn",
    bundle_digest=DIGEST,
    lastmile="0.1.0",
    spec=SPEC,
    made=NOW,
    source=Source(40 * "c", 2, "https://example.com/org/churn.git"),
    lock=Material("pylock.toml", "sha256:" + 64 * "2"),
    data=(Material("customers 2025", "sha256:" + 64 * "3", "s3://data/customers.parquet"),),
    by=Person("Ann", "ann@example.com"),
)


def predicate(build: Build) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(build))["predicate"]
    return found


def test_all_that_is_known_is_stated() -> None:
    assert json.loads(render(BUILD)) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "churn", "digest": {"sha256": 64 * "d"}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "pkg:pypi/lastmile-sls#bundle/1",
                "externalParameters": {"function": "churn", "spec": "lastmile.yaml"},
                "internalParameters": {"builtBy": {"name": "Ann", "email": "ann@example.com"}},
                "resolvedDependencies": [
                    {
                        "name": "lastmile.yaml",
                        "digest": {"sha256": 64 * "1"},
                        "annotations": {"role": "spec"},
                    },
                    {"name": "pylock.toml", "digest": {"sha256": 64 * "2"}, "annotations": {"role": "lock"}},
                    {
                        "name": "source",
                        "digest": {"gitCommit": 40 * "c"},
                        "uri": "git+https://example.com/org/churn.git",
                        "annotations": {"role": "source", "dirty": True, "changes": 2},
                    },
                    {
                        "name": "customers 2025",
                        "digest": {"sha256": 64 * "3"},
                        "uri": "s3://data/customers.parquet",
                        "annotations": {"role": "data"},
                    },
                ],
            },
            "runDetails": {
                "builder": {"id": "pkg:pypi/lastmile-sls", "version": {"lastmile-sls": "0.1.0"}},
                "metadata": {"finishedOn": "2026-05-01T12:00:00Z"},
            },
        },
    }


def test_what_is_not_known_is_left_out_and_a_missing_revision_explained() -> None:
    build = Build("churn", DIGEST, "0.1.0", SPEC, NOW, Source(missing="git is not installed"))
    definition = predicate(build)["buildDefinition"]
    assert definition["internalParameters"] == {"noRevision": "git is not installed"}
    assert [each["name"] for each in definition["resolvedDependencies"]] == ["lastmile.yaml"]
    named = predicate(replace(build, by=Person("ann")))["buildDefinition"]["internalParameters"]
    assert named["builtBy"] == {"name": "ann"}
    clean = predicate(replace(build, source=Source(40 * "c")))["buildDefinition"]["resolvedDependencies"][1]
    assert clean["annotations"] == {"role": "source", "dirty": False, "changes": 0}
    assert "uri" not in clean


@pytest.mark.parametrize("build", [BUILD, Build("churn", DIGEST, "0.1.0", SPEC, NOW, Source(missing="none"))])
def test_the_official_messages_take_it(build: Build) -> None:
    json_format: Any = importlib.import_module("google.protobuf.json_format")
    statements: Any = importlib.import_module("in_toto_attestation.v1.statement")
    messages: Any = importlib.import_module("in_toto_attestation.v1.statement_pb2")
    provenances: Any = importlib.import_module("in_toto_attestation.predicates.provenance.v1.provenance_pb2")
    # Fields that they do not have are errors.
    message = json_format.Parse(render(build), messages.Statement())
    statements.Statement.copy_from_pb(message).validate()
    found = json_format.ParseDict(predicate(build), provenances.Provenance())
    assert found.build_definition.resolved_dependencies[0].digest["sha256"] == 64 * "1"
    assert found.run_details.metadata.finished_on.ToJsonString() == "2026-05-01T12:00:00Z"
    assert json_format.MessageToDict(found) == predicate(build)


def test_the_same_build_is_the_same_bytes_in_any_zone() -> None:
    elsewhere = replace(BUILD, made=NOW.astimezone(timezone(timedelta(hours=9))))
    assert render(elsewhere) == render(BUILD)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (replace(BUILD, bundle_digest="sha256:1"), "'sha256:1' is not sha256: and 64 hexadecimal digits"),
        (replace(BUILD, spec=Material("x", "abc")), "'abc' is not sha256: and 64 hexadecimal digits"),
        (replace(BUILD, made=NOW.replace(tzinfo=None)), "2026-05-01 12:00:00 has no time zone"),
    ],
)
def test_what_is_no_digest_or_no_moment_is_refused(build: Build, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        render(build)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found.pop("subject"), "it names no bundle"),
        (lambda found: found.update(subject=[]), "it names no bundle"),
        (lambda found: found["subject"][0]["digest"].update(sha256="x"), "it names no bundle"),
        (lambda found: found.update(predicateType="x"), "it is no statement of SLSA provenance v1"),
    ],
)
def test_a_statement_of_something_else_is_refused(change: Any, told: str) -> None:
    assert bundle_digest_of(render(BUILD)) == DIGEST
    document = json.loads(render(BUILD))
    change(document)
    with pytest.raises(ValueError, match=told):
        bundle_digest_of(json.dumps(document).encode())
