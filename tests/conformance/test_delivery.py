"""What is delivered, held against servers that others wrote: documents in clouds' stores, a login of ECR's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lastmile_runtime.stores import open_store
from lastmile_sls.bundle.oci.credentials import Login
from lastmile_sls.delivery.document import Document
from lastmile_sls.delivery.registry_login import registry_credentials
from lastmile_sls.provider.resource import State
from tests.conformance.emulators import az, gs, gs_emulator, s3
from tests.lastmile_sls.delivery.waiting import FakePatience

pytestmark = pytest.mark.conformance
STORES = {"s3": s3, "gs": gs, "gs-emulator": gs_emulator, "az": az}


@pytest.mark.parametrize("kind", list(STORES))
def test_a_document_is_made_once(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with STORES[kind](monkeypatch, tmp_path) as url:
        document = Document(os.environ, FakePatience())
        inputs = {"url": url, "path": "deployment/routing.json", "content": "made"}
        id_, made = document.create("urn", inputs)
        assert made == {"location": f"{url}/deployment/routing.json"}
        state = State(id_, inputs, {**inputs, **made})
        store = open_store(url)
        found = store.get("deployment/routing.json")
        assert found is not None
        assert found.content == b"made"

        store.put("deployment/routing.json", b"changed", if_match=found.etag)
        document.create("urn", inputs)
        document.delete(state)
        assert document.read(state) == (inputs, state.outputs)
        changed = store.get("deployment/routing.json")
        assert changed is not None
        assert changed.content == b"changed"

        store.delete("deployment/routing.json")
        assert document.read(state) is None


def test_ecr_gives_a_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with s3(monkeypatch, tmp_path):
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", os.environ["AWS_ENDPOINT_URL_S3"])
        find = registry_credentials({"HOME": str(tmp_path)}, lambda _: None)
        login = find("123456789012.dkr.ecr.eu-central-1.amazonaws.com")
    assert isinstance(login, Login)
    assert login.username == "AWS"
    assert login.password
