"""What a stack on a cloud says of itself, and the traffic that its outputs lead to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from lastmile_runtime.stores import s3
from lastmile_sls.cloud_stack import CloudStack, check_traffic, find_stack, read_outputs
from lastmile_sls.engine.interface import Engine, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import set_weights
from lastmile_sls.traffic.live import Author
from tests.lastmile_infra.plans import spec_of, two_versions

DOCUMENT: dict[str, Any] = {
    "champion": "v1",
    "weights": {"v1": 9000, "v2": 1000},
    "shadows": [],
    "sticky": None,
    "rules": [],
    "salt": "churn-dev",
    "max_age_s": 5.0,
    "challenger_timeout_s": 1.0,
}


class Stack:
    """An engine that knows outputs, and a project of a spec."""

    def __init__(self, outputs: dict[str, Any], **changes: Any) -> None:
        self._outputs = outputs
        self.spec = spec_of(**changes)
        self.plan = {"target": "aws"}
        self.program = None

    def outputs(self, _: object) -> dict[str, Any]:
        return self._outputs


def deployed(folder: Path) -> dict[str, Any]:
    (folder / "routing.json").write_text(json.dumps(DOCUMENT))
    return {
        "deployment": "churn-dev",
        "url": "https://x.example",
        "key": Secret("k-1"),
        "versions": ["v1", "v2"],
        "routing": f"{folder.as_uri()}/routing.json",
    }


def checked(stack: Stack) -> None:
    check_traffic(cast("Any", stack), cast("Engine", stack), {})


def stack_of(outputs: dict[str, Any], environ: dict[str, str] | None = None) -> CloudStack:
    return CloudStack(spec_of(), "aws", outputs, environ or {})


def test_address_and_key(tmp_path: Path) -> None:
    stack = stack_of(deployed(tmp_path))
    assert (stack.deployment, stack.url, stack.key()) == ("churn-dev", "https://x.example", "k-1")
    with pytest.raises(LastmileError) as caught:
        stack_of({"deployment": "churn-dev"}).key()
    assert caught.value.message == "churn-dev takes no API key on aws: endpoint.auth is not key."


def test_traffic_is_moved_where_the_outputs_lead(tmp_path: Path) -> None:
    live = stack_of(deployed(tmp_path)).traffic()
    assert live.versions == ["v1", "v2"]
    live.change("set v2=50", Author("ann", "why not"), lambda d: set_weights(d, {"v2": 5000}, live.versions))
    assert json.loads((tmp_path / "routing.json").read_text())["weights"] == {"v1": 5000, "v2": 5000}
    assert [record["who"] for record in live.history()] == ["ann"]


def test_one_version_has_no_traffic(tmp_path: Path) -> None:
    outputs = deployed(tmp_path)
    del outputs["routing"]
    with pytest.raises(LastmileError, match=r"churn-dev has one version, so there is no traffic to move\."):
        stack_of(outputs).traffic()


def test_a_bucket_is_read_in_the_region_that_the_spec_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs this has their own credentials, and may have no region at all, or another one."""
    opened: list[tuple[str, str | None]] = []

    def open_url(url: str, environ: Mapping[str, str]) -> object:
        opened.append((url, environ.get("AWS_REGION")))
        return object()

    monkeypatch.setattr(s3, "open_url", open_url)
    outputs = {"deployment": "churn-dev", "routing": "s3://b/churn-dev/routing.json", "versions": ["v1"]}
    stack_of(outputs, {"AWS_REGION": "us-east-1"}).traffic()
    assert opened == [("s3://b/churn-dev", "eu-west-1")]


def test_a_version_that_traffic_goes_to_is_not_dropped(tmp_path: Path) -> None:
    checked(Stack(deployed(tmp_path), **two_versions()))
    with pytest.raises(LastmileError) as caught:
        checked(Stack(deployed(tmp_path)))
    assert caught.value.message == (
        "the spec drops the version v2, but the live traffic goes to it: v1 90 %, v2 10 %."
    )
    checked(Stack({}))


def test_a_document_that_is_gone_is_told(tmp_path: Path) -> None:
    outputs = deployed(tmp_path)
    (tmp_path / "routing.json").unlink()
    with pytest.raises(LastmileError, match=r"the routing document routing\.json is gone\."):
        checked(Stack(outputs, **two_versions()))


def test_outputs_in_a_file_are_a_stack(tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    outputs = {"deployment": "churn-dev", "url": "https://x.example", "target": "gcp", "key": "k-1"}
    more = {"region": "europe-west1", "account": "acme-models", "functions": {"predict": "projects/1"}}
    path.write_text(json.dumps({**outputs, **more}))
    stack = read_outputs(path, None, {})
    assert (stack.target, stack.region, stack.account, stack.key()) == (
        "gcp",
        "europe-west1",
        "acme-models",
        "k-1",
    )
    assert (stack.parts("functions"), stack.parts("queue"), stack.versions) == (
        {"predict": "projects/1"},
        {},
        (),
    )
    assert (stack.schedule, stack.dashboard) == (None, None)
    assert "k-1" not in repr(stack)
    path.write_text(json.dumps({**outputs, "key": "[secret]"}))
    hidden = read_outputs(path, "gcp", {})
    assert hidden.has_key
    with pytest.raises(LastmileError) as caught:
        hidden.key()
    assert caught.value.message == "the outputs of churn-dev do not show its API key."
    assert caught.value.hint == (
        "Write them with it, and keep the file private: pulumi stack output --json --show-secrets"
    )


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        (None, None, "FILE cannot be read: No such file or directory."),
        (
            "{",
            None,
            "FILE is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).",
        ),
        ("[]", None, "FILE holds no deployment's outputs: deployment and url are missing."),
        (
            '{"deployment": "d", "url": "u", "target": "local"}',
            None,
            "FILE is of a deployment on this machine.",
        ),
        (
            '{"deployment": "d", "url": "u", "target": "gcp"}',
            "aws",
            "FILE is of a deployment on gcp, but --target is aws.",
        ),
    ],
)
def test_a_file_that_has_no_stacks_outputs_is_told(
    tmp_path: Path, content: str | None, target: Any, message: str
) -> None:
    path = tmp_path / "outputs.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LastmileError) as caught:
        read_outputs(path, target, {})
    assert caught.value.message == message.replace("FILE", str(path))


@pytest.mark.pulumi_cli
def test_what_is_not_deployed_is_told(tmp_path: Path) -> None:
    (tmp_path / "lastmile.yaml").write_text(
        "name: churn\nowner: o\ncost_center: c\nversions: [{id: v1, artifact: m, framework: sklearn}]\n"
    )

    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "LASTMILE_"))}
    with pytest.raises(LastmileError) as caught:
        find_stack(
            tmp_path / "lastmile.yaml", "aws", None, {**environ, "LASTMILE_HOME": str(tmp_path / "home")}
        )
    assert caught.value.message == "churn (dev-aws) is not deployed."
    assert caught.value.hint == "Deploy it: lastmile up --target aws"
