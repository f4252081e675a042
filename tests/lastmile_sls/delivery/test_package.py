"""Code arrives at a function app, if it is the bundle that it should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.delivery.package import Package
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import State
from tests.lastmile_sls.delivery.kudu import TOKEN, Kudu, kudu
from tests.lastmile_sls.delivery.waiting import FakePatience
from tests.lastmile_sls.delivery.zips import make_zip

NO_DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def service() -> Iterator[Kudu]:
    with kudu() as found:
        yield found


def test_code_is_sent_and_sent_again_when_it_changes(service: Kudu, tmp_path: Path) -> None:
    first, second = make_zip(tmp_path, "a"), make_zip(tmp_path, "b")
    service.states = [404, {"status": 0, "complete": False}, {"status": 2, "complete": False}]
    id_, made = package().create("urn", inputs(service, **first))
    assert (id_, made) == ("churn", {"deployment": "id-1"})
    assert service.queries == [{"RemoteBuild": ["false"], "Deployer": ["lastmile"]}]
    assert service.asked == [
        ("POST", "/api/publish", f"Bearer {TOKEN}"),
        *[("GET", "/api/deployments/id-1", f"Bearer {TOKEN}")] * 4,
    ]
    state = State(id_, inputs(service, **first), {**inputs(service, **first), **made})
    service.asked.clear()
    package().delete(state)
    assert service.asked == []
    assert package().update("urn", state, inputs(service, **second)) == {"deployment": "id-2"}
    assert service.deployed == [Path(made["source"]).read_bytes() for made in (first, second)]


def package() -> Package:
    return Package({}, FakePatience(), lambda: TOKEN)


def inputs(service: Kudu, **changed: str) -> dict[str, Any]:
    return {"app": "churn", "scmUrl": service.url, **changed}


def test_a_zip_of_another_bundle_is_refused(service: Kudu, tmp_path: Path) -> None:
    code = make_zip(tmp_path, "a")
    with pytest.raises(LastmileError) as caught:
        package().create("urn", inputs(service, **{**code, "digest": NO_DIGEST}))
    told = f"{code['source']} holds the bundle {code['digest']}, but digest is {NO_DIGEST}."
    assert (caught.value.message, caught.value.hint) == (told, "Build the project again: lastmile build.")
    assert service.asked == []


def test_a_zip_that_is_gone_damaged_or_no_bundle_is_told(service: Kudu, tmp_path: Path) -> None:
    path = tmp_path / "code.zip"
    for content, told in (
        (None, f"there is no {path}."),
        (b"no zip", f"{path} cannot be read: File is not a zip file."),
        (b"PK\5\6" + b"\0" * 18, f"{path} is no bundle: it has no manifest.json."),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(LastmileError) as caught:
            package().create("urn", inputs(service, source=str(path), digest=NO_DIGEST))
        assert caught.value.message == told


@pytest.mark.parametrize(
    "url", ["http://churn.scm.azurewebsites.net", "churn.scm.azurewebsites.net", "https://"]
)
def test_a_service_without_tls_is_refused(url: str) -> None:
    told = f"scmUrl is {url!r}, but must be https:// and a host."
    assert package().check({"scmUrl": url}) == [("scmUrl", told)]


def test_good_inputs_are_accepted() -> None:
    assert package().check({"scmUrl": "https://churn.scm.azurewebsites.net", "digest": NO_DIGEST}) == []
    assert package().check({"digest": "abc"}) == [
        ("digest", "digest is 'abc', but must be sha256: and 64 hexadecimal digits.")
    ]


def test_what_an_app_has_is_what_the_state_says() -> None:
    state = State("churn", {}, {"app": "churn", "digest": NO_DIGEST, "deployment": "id-1"})
    assert package().read(state) == ({"app": "churn", "digest": NO_DIGEST}, state.outputs)
    with pytest.raises(LastmileError) as caught:
        package().read(State("churn", {}, {}))
    assert caught.value.message == "the package churn cannot be imported."
