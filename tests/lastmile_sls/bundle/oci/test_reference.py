"""Names of images: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.reference import LayoutReference, RegistryReference, parse_reference
from lastmile_sls.errors import LastmileError

DIGEST = "sha256:" + "0a" * 32
FORM = "Write REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST], or oci:FOLDER[:TAG]."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghcr.io/a/b:1.2", RegistryReference("ghcr.io", "a/b", "1.2")),
        ("localhost/b", RegistryReference("localhost", "b", "latest")),
        ("127.0.0.1:5000/a__b/c-d.e", RegistryReference("127.0.0.1:5000", "a__b/c-d.e", "latest")),
        ("[::1]:5000/b:t", RegistryReference("[::1]:5000", "b", "t")),
        (f"r.io/b@{DIGEST}", RegistryReference("r.io", "b", "", DIGEST)),
        (f"r.io/b:t@{DIGEST}", RegistryReference("r.io", "b", "t", DIGEST)),
        ("docker.io/python:3.13", RegistryReference("docker.io", "library/python", "3.13")),
        ("docker.io/me/python", RegistryReference("docker.io", "me/python", "latest")),
        ("oci:base", LayoutReference(Path("base"))),
        ("oci:/a:b/base:3.13", LayoutReference(Path("/a:b/base"), "3.13")),
        ("oci:/a:b/base", LayoutReference(Path("/a:b/base"))),
        (f"oci:./base@{DIGEST}", LayoutReference(Path("base"), "", DIGEST)),
        (f"oci:base:t@{DIGEST}", LayoutReference(Path("base"), "t", DIGEST)),
    ],
)
def test_what_is_read(text: str, expected: RegistryReference | LayoutReference) -> None:
    found = parse_reference(text)
    assert found == expected
    assert parse_reference(str(found)) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "python:3.13",
            "'python:3.13' names no registry.",
            "Put it in front, for instance docker.io/python:3.13, if it is there.",
        ),
        (
            "me/python",
            "'me/python' names no registry.",
            "Put it in front, for instance docker.io/me/python, if it is there.",
        ),
        ("-r.io/b", "'-r.io/b' has the registry '-r.io', which is no host.", FORM),
        (
            "user:secret@r.io/b",
            "'user:secret@r.io/b' has the digest 'r.io/b'; sha256: and 64 hexadecimal digits are needed.",
            FORM,
        ),
        (
            "r.io/Big",
            "'r.io/Big' has the repository 'Big'; small letters and digits are allowed, with . _ - between.",
            FORM,
        ),
        (
            "r.io/../b",
            "'r.io/../b' has the repository '../b'; small letters and digits are allowed, with . _ - between.",
            FORM,
        ),
        (
            "r.io/b:",
            "'r.io/b:' has the tag ''; at most 128 letters, digits and _ . - are allowed.",
            FORM,
        ),
        (
            "r.io/b:" + "t" * 129,
            f"'r.io/b:{'t' * 129}' has the tag '{'t' * 129}'; at most 128 letters, digits and _ . - are allowed.",
            FORM,
        ),
        (
            "r.io/b@sha256:0a",
            "'r.io/b@sha256:0a' has the digest 'sha256:0a'; sha256: and 64 hexadecimal digits are needed.",
            FORM,
        ),
        ("oci:", "'oci:' is no name of an image in a folder.", FORM),
        ("oci:base:a b", "'oci:base:a b' is no name of an image in a folder.", FORM),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(LastmileError) as caught:
        parse_reference(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("registry", "local"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("[::1]:5000", True),
        ("127.0.0.2:5000", False),
        ("localhost.example", False),
        ("127.0.0.1.example:80", False),
    ],
)
def test_only_this_machine_is_asked_without_tls(registry: str, local: bool) -> None:
    assert RegistryReference(registry, "b", "t").is_local is local
