from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import (
    Bundle,
    Manifest,
    TensorSpec,
    Version,
    digest,
    hash_file,
    parse,
    render,
)
from tests.lastmile_runtime.bundles import DOUBLER, python_bundle, python_version, write_bundle

ARTIFACT = "models/v1/model.py"
DOCUMENT: dict[str, Any] = {
    "files": {ARTIFACT: {"sha256": "ab", "size": 3}},
    "format": "lastmile.manifest/1",
    "model": "breast-cancer",
    "versions": [
        {
            "artifact": ARTIFACT,
            "columns": ["a", "ü"],
            "entry": "Model",
            "frame": True,
            "id": "v1",
            "inputs": [{"datatype": "FP64", "name": "input", "shape": [-1, 2]}],
            "outputs": [],
            "predictor": "python",
        }
    ],
}


def manifest() -> Manifest:
    version = Version(
        "v1",
        "python",
        ARTIFACT,
        "Model",
        ["a", "ü"],
        frame=True,
        inputs=[TensorSpec("input", "FP64", [-1, 2])],
    )
    return Manifest("breast-cancer", [version], {ARTIFACT: {"sha256": "ab", "size": 3}})


def changed(**changes: Any) -> bytes:
    return json.dumps({**DOCUMENT, **changes}).encode()


def test_rendering_is_canonical() -> None:
    expected = json.dumps(DOCUMENT, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    assert render(manifest()) == expected.encode()


def test_what_is_parsed_renders_to_the_same_bytes() -> None:
    assert render(parse(render(manifest()))) == render(manifest())


def test_a_digest_names_its_algorithm() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_file_is_hashed_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 3_000_000)
    expected = {"sha256": digest(b"x" * 3_000_000).removeprefix("sha256:"), "size": 3_000_000}
    assert hash_file(str(tmp_path / "f")) == expected
    assert hash_file(str(tmp_path / "f"), 3_000_000) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[", "manifest.json cannot be read: JSONDecodeError: Expecting value: line 1 column 2 (char 1)."),
        (b"[]", "manifest.json cannot be read: TypeError: list indices must be integers or slices, not str."),
        (b"\xff", None),
        (b"{}", "manifest.json cannot be read: KeyError: 'format'."),
        (
            changed(format="lastmile.manifest/2"),
            "manifest.json has the format 'lastmile.manifest/2', but this runtime reads 'lastmile.manifest/1'.",
        ),
        (changed(versions=[{"id": "v1"}]), "manifest.json cannot be read: KeyError: 'inputs'."),
        (
            changed(versions=[]),
            "manifest.json has the versions [], but must have at least one, and each once.",
        ),
        (
            changed(versions=DOCUMENT["versions"] * 2),
            "manifest.json has the versions ['v1', 'v1'], but must have at least one, and each once.",
        ),
        (
            changed(files={"a": {"sha256": "ab", "size": 3}}),
            "manifest.json has the artifact 'models/v1/model.py', which is not among its files.",
        ),
        (
            changed(files={"a": {"sha256": "ab", "size": "3"}}),
            "manifest.json gives 'a' no sha256 (hexadecimal) and size (bytes).",
        ),
        (
            changed(files=[]),
            "manifest.json cannot be read: AttributeError: 'list' object has no attribute 'items'.",
        ),
    ],
)
def test_a_manifest_that_cannot_be_served_is_refused(content: bytes, message: str | None) -> None:
    with pytest.raises(BundleError) as refused:
        parse(content)
    assert message is None or str(refused.value) == message


def test_a_manifest_nested_too_deep_is_refused() -> None:
    with pytest.raises(BundleError, match=r"manifest.json cannot be read: RecursionError: maximum recursion"):
        parse(b"[" * 100_000)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "", "a\\b", "a\0b"])
def test_a_file_outside_of_the_bundle_is_refused(name: str) -> None:
    with pytest.raises(BundleError) as refused:
        parse(changed(files={name: {"sha256": "ab", "size": 3}}))
    assert str(refused.value) == f"manifest.json names the file {name!r}, which leaves the bundle."


def test_a_bundle_gives_out_a_verified_file(tmp_path: Path) -> None:
    pinned = python_bundle(tmp_path)
    bundle = Bundle(str(tmp_path), pinned)
    assert bundle.digest == pinned
    assert bundle.verify(ARTIFACT) == str(tmp_path / ARTIFACT)
    assert bundle.verify_model(bundle.manifest.versions[0]) == str(tmp_path / ARTIFACT)


def test_a_bundle_behind_a_linked_folder_is_read(tmp_path: Path) -> None:
    pinned = python_bundle(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Bundle(str(tmp_path / "link"), pinned).verify(ARTIFACT) == str(tmp_path / "link" / ARTIFACT)


def test_another_manifest_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    found = python_bundle(tmp_path)
    with pytest.raises(BundleError) as refused:
        Bundle(str(tmp_path), "sha256:00")
    assert str(refused.value) == f"manifest.json has the digest {found}, but sha256:00 was deployed."


def test_a_bundle_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as refused:
        Bundle(str(tmp_path), "sha256:00")
    assert str(refused.value) == "manifest.json cannot be read: No such file or directory."


def other_content(path: Path) -> None:
    path.write_text(DOUBLER.replace("2", "3"))


def other_size(path: Path) -> None:
    path.write_text("x")


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (other_content, r"models/v1/model\.py has the SHA-256 [0-9a-f]{64}, but [0-9a-f]{64} was deployed\."),
        (other_size, rf"models/v1/model\.py has the size 1, but {len(DOUBLER)} was deployed\."),
        (Path.unlink, r"models/v1/model\.py cannot be read: No such file or directory\."),
        (link, r"models/v1/model\.py is a link, or stands behind one; a bundle holds plain files only\."),
        (
            linked_folder,
            r"models/v1/model\.py is a link, or stands behind one; a bundle holds plain files only\.",
        ),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, tamper: Any, message: str) -> None:
    bundle = Bundle(str(tmp_path), python_bundle(tmp_path))
    tamper(tmp_path / ARTIFACT)
    with pytest.raises(BundleError, match=f"^{message}$"):
        bundle.verify(ARTIFACT)


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    bundle = Bundle(str(tmp_path), python_bundle(tmp_path))
    with pytest.raises(BundleError, match=r"^models/v2/model\.py is not in the manifest\.$"):
        bundle.verify("models/v2/model.py")


def test_what_lies_beside_an_artifact_is_verified_with_it(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        ARTIFACT: DOUBLER,
        "models/v1/data/w.bin": b"1",
        "models/v10/w.bin": b"1",
    }
    bundle = Bundle(str(tmp_path), write_bundle(tmp_path, [python_version()], files))
    (tmp_path / "models/v10/w.bin").write_bytes(b"2")
    bundle.verify_model(bundle.manifest.versions[0])
    (tmp_path / "models/v1/data/w.bin").write_bytes(b"2")
    with pytest.raises(BundleError, match=r"^models/v1/data/w\.bin has the SHA-256 "):
        bundle.verify_model(bundle.manifest.versions[0])


def test_a_version_that_another_function_serves_has_no_file_here() -> None:
    remote = {"function": "predict-v2", "digest": "sha256:ab"}
    entry = {**DOCUMENT["versions"][0], "id": "v2", "predictor": "remote", "artifact": "", "remote": remote}
    found = parse(changed(versions=[*DOCUMENT["versions"], entry]))
    assert [version.remote for version in found.versions] == [None, remote]
    assert json.loads(render(found))["versions"] == [*DOCUMENT["versions"], entry]


@pytest.mark.parametrize("remote", [None, {}, {"function": 7}, "predict-v2"])
def test_a_version_that_nobody_serves_is_refused(remote: Any) -> None:
    entry = {**DOCUMENT["versions"][0], "predictor": "remote", "artifact": "", "remote": remote}
    with pytest.raises(BundleError) as refused:
        parse(changed(versions=[entry]))
    assert str(refused.value) == "manifest.json has the version 'v1', but not the function that serves it."
