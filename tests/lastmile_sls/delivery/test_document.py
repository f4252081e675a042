"""A document is written once, in a folder or a cloud, and Azure's slow roles are waited for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from obstore.exceptions import PermissionDeniedError

from lastmile_runtime.stores import StoreError, open_store
from lastmile_sls.delivery.document import Document
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import State
from tests.lastmile_sls.delivery.waiting import FakePatience

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

AZURE = {"url": "az://account/container", "path": "routing.json", "content": "made"}
ROLE = "Storage Blob Data Contributor"


def refusal() -> StoreError:
    error = StoreError("routing.json: not allowed")
    error.__cause__ = PermissionDeniedError("not allowed")
    return error


class Refusing:
    """A store that lets nobody in at first."""

    def __init__(self, refusals: list[StoreError], behind: Store) -> None:
        self.refusals = refusals
        self.behind = behind

    def put(self, *arguments: Any, **options: Any) -> str:
        if self.refusals:
            raise self.refusals.pop()
        return self.behind.put(*arguments, **options)


def document_in(store: Any, patience: FakePatience | None = None) -> Document:
    def open_url(url: str, environ: Mapping[str, str], region: str | None) -> Any:
        return store

    return Document({}, patience or FakePatience(), open_url)


def in_folder(folder: Path) -> tuple[Document, dict[str, Any]]:
    inputs = {"url": folder.as_uri(), "path": "a/routing.json", "content": "made"}
    return Document({}, FakePatience()), inputs


def test_a_document_is_made_once_and_outlives_its_resource(tmp_path: Path) -> None:
    document, inputs = in_folder(tmp_path)
    id_, made = document.create("urn", inputs)
    assert made == {"location": f"{tmp_path.as_uri()}/a/routing.json"} == document.planned(inputs, {})
    file = tmp_path / "a" / "routing.json"
    assert file.read_text() == "made"
    file.write_text("changed")
    state = State(id_, inputs, {**inputs, **made})
    document.create("urn", inputs)
    document.update("urn", state, {**inputs, "content": "another"})
    assert file.read_text() == "changed"
    assert document.read(state) == (inputs, state.outputs)
    document.delete(state)
    assert file.read_text() == "changed"
    file.unlink()
    assert document.read(state) is None


def test_a_role_that_does_not_hold_yet_is_waited_for(tmp_path: Path) -> None:
    patience = FakePatience()
    store = Refusing([refusal() for _ in range(5)], open_store(tmp_path.as_uri()))
    document_in(store, patience).create("urn", AZURE)
    assert patience.pauses == [1, 2, 4, 8, 15]
    assert (tmp_path / "routing.json").read_text() == "made"


def test_a_role_that_is_missing_is_told_in_the_end(tmp_path: Path) -> None:
    patience = FakePatience()
    store = Refusing([refusal() for _ in range(100)], open_store(tmp_path.as_uri()))
    with pytest.raises(LastmileError) as caught:
        document_in(store, patience).create("urn", AZURE)
    assert (caught.value.message, caught.value.hint) == (
        "the document az://account/container/routing.json could not be written: routing.json: not allowed",
        f"Give whoever runs this the role {ROLE} on the storage account account; it can take minutes to hold.",
    )
    assert 585 <= sum(patience.pauses) <= 600


@pytest.mark.parametrize(
    ("scheme", "hint"),
    [
        ("s3", "Allow whoever runs this s3:PutObject and s3:GetObject there."),
        ("gs", "Give whoever runs this the role Storage Object User there."),
    ],
)
def test_the_other_clouds_are_not_waited_for(tmp_path: Path, scheme: str, hint: str) -> None:
    patience = FakePatience()
    store = Refusing([refusal()], open_store(tmp_path.as_uri()))
    with pytest.raises(LastmileError) as caught:
        document_in(store, patience).create("urn", {**AZURE, "url": f"{scheme}://bucket/x/"})
    assert caught.value.message.startswith(f"the document {scheme}://bucket/x/routing.json could not be ")
    assert caught.value.hint == hint
    assert patience.pauses == []


def test_a_store_that_fails_is_told(tmp_path: Path) -> None:
    store = Refusing([StoreError("routing.json: no such container")], open_store(tmp_path.as_uri()))
    with pytest.raises(LastmileError) as caught:
        document_in(store).create("urn", AZURE)
    assert caught.value.message.endswith("could not be written: routing.json: no such container")
    assert caught.value.hint == "Check that the bucket is there; then run again."


def test_wrong_inputs_are_told() -> None:
    document = Document({}, FakePatience())
    assert document.check({"url": "https://host/a", "path": "../a"}) == [
        ("url", "url is 'https://host/a', but must begin with one of file, s3, gs, az and ://."),
        ("path", "the path is '../a', but must be relative and have no empty, . or .. part."),
    ]
    assert document.check(AZURE) == []


def test_a_folder_that_is_not_there_yet_leaves_the_location_open() -> None:
    planned = Document({}, FakePatience()).planned({**AZURE, "url": UNKNOWN_SENTINEL}, {})
    assert is_unknown(planned["location"])


def test_a_document_cannot_be_imported() -> None:
    with pytest.raises(LastmileError) as caught:
        Document({}, FakePatience()).read(State("az://a/b/c", {}, {}))
    assert caught.value.message == "the document az://a/b/c cannot be imported."
