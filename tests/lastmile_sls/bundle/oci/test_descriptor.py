"""Content by its digest: read only when it is what was described."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.descriptor import (
    describe,
    parse_descriptors,
    parse_object,
    render,
    verify_content,
    verify_file,
)
from lastmile_sls.errors import LastmileError

HELLO = describe(b"hello", "text/plain")
OTHER = "sha256:" + hashlib.sha256(b"hallo").hexdigest()


def test_content_is_described() -> None:
    digest = "sha256:" + hashlib.sha256(b"hello").hexdigest()
    assert HELLO.document == {"mediaType": "text/plain", "digest": digest, "size": 5}
    assert parse_descriptors([HELLO.document], "x") == [HELLO]


def test_what_is_as_described_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    assert verify_content(b"hello", HELLO, "x") == b"hello"
    assert verify_file(path, HELLO, "x") == path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hallo", f"x: what should be {HELLO.digest} is {OTHER}."),
        (b"hello!", f"x: {HELLO.digest} has 6 bytes, but its descriptor says 5."),
    ],
)
def test_what_is_not_as_described_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LastmileError) as of_content:
        verify_content(content, HELLO, "x")
    with pytest.raises(LastmileError) as of_file:
        verify_file(path, HELLO, "x")
    told = (message, "It was changed or damaged: fetch or make it again.")
    assert (of_content.value.message, of_content.value.hint) == told
    assert (of_file.value.message, of_file.value.hint) == told


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        verify_file(tmp_path / "file", HELLO, "oci:base")
    assert caught.value.message == f"oci:base lacks the blob {HELLO.digest}."
    with pytest.raises(LastmileError) as caught:
        verify_file(tmp_path, HELLO, "oci:base")
    assert caught.value.message == f"oci:base: {HELLO.digest} cannot be read: Is a directory."


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (None, "x has no list of descriptors where one should be."),
        ([{}], "x has a descriptor without mediaType, digest or size."),
        ([{**HELLO.document, "size": -1}], "x has a descriptor without mediaType, digest or size."),
        ([{**HELLO.document, "size": "5"}], "x has a descriptor without mediaType, digest or size."),
        (
            [{**HELLO.document, "digest": "sha256:../../etc/passwd"}],
            "x has the digest 'sha256:../../etc/passwd', but only sha256 is read.",
        ),
        (
            [{**HELLO.document, "digest": "sha512:00"}],
            "x has the digest 'sha512:00', but only sha256 is read.",
        ),
    ],
)
def test_descriptors_of_another_form_are_refused(entries: object, message: str) -> None:
    with pytest.raises(LastmileError) as caught:
        parse_descriptors(entries, "x")
    assert caught.value.message == message


def test_documents_are_objects() -> None:
    with pytest.raises(LastmileError, match=r"^x is not a JSON object\."):
        parse_object(b"[]", "x")
    with pytest.raises(LastmileError, match=r"^x is not JSON: "):
        parse_object(b"{", "x")
    with pytest.raises(LastmileError, match=r"^x is not JSON: "):
        parse_object(b"\xff", "x")


def test_a_document_has_the_same_bytes_in_any_order() -> None:
    assert render({"b": "é", "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":"é"}'.encode()
    assert render({"b": 1, "a": 2}) == render({"a": 2, "b": 1})
