"""Images in folders: found by tag, digest or platform; what is damaged or not there is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.descriptor import DOCUMENT_LIMIT, Descriptor
from lastmile_sls.bundle.oci.layout import Layout
from lastmile_sls.bundle.oci.platform import Platform
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.bases import BaseFolder

X86 = Platform("x86_64")
COPY = "Make it whole, for instance: skopeo copy docker://REGISTRY/REPOSITORY:TAG oci:FOLDER:TAG"


@pytest.fixture
def base(tmp_path: Path) -> BaseFolder:
    return BaseFolder(tmp_path / "base")


def root(base: BaseFolder, tag: str = "", digest: str = "") -> str:
    return Layout(base.folder, "oci:base").root(tag, digest, X86).digest


def refused(base: BaseFolder, tag: str = "", digest: str = "") -> tuple[str, str]:
    with pytest.raises(LastmileError) as caught:
        root(base, tag, digest)
    return caught.value.message, caught.value.hint


def test_the_only_image_needs_no_tag(base: BaseFolder) -> None:
    digest = base.tag(base.image(), "slim")
    assert root(base) == root(base, "slim") == root(base, digest=digest) == digest


def test_a_tag_and_a_digest_choose(base: BaseFolder) -> None:
    one, two = base.tag(base.image(), "one"), base.tag(base.image(author="b"), "two")
    assert (root(base, "one"), root(base, "two"), root(base, "one", two)) == (one, two, two)
    assert refused(base) == ("oci:base holds several images.", "Name one by its tag: one, two.")
    assert refused(base, "three") == ("oci:base: there is no tag 'three'.", "It has one, two.")


def test_images_without_tags_are_one_per_platform(base: BaseFolder) -> None:
    base.tag(base.image("arm64"))
    digest = base.tag(base.image("amd64"))
    assert root(base) == digest
    assert refused(base, "t") == ("oci:base: there is no tag 't'.", "Nothing in it has a tag: leave it out.")


def test_a_digest_may_be_of_what_no_tag_names(base: BaseFolder) -> None:
    inner = base.image("arm64")
    base.tag(base.image("amd64"))
    assert Layout(base.folder, "oci:base").root("", inner["digest"], X86) == Descriptor(
        inner["mediaType"], inner["digest"], inner["size"]
    )
    lost = "sha256:" + "0" * 64
    assert refused(base, digest=lost) == (
        f"oci:base lacks the blob {lost}.",
        "Name a digest that is there, or a tag.",
    )


def test_what_is_no_layout_is_told(base: BaseFolder) -> None:
    assert refused(base) == (f"{base.folder}/index.json lists no image.", COPY)
    (base.folder / "index.json").unlink()
    assert refused(base) == ("oci:base is no OCI layout: it has no index.json.", COPY)
    (base.folder / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}')
    assert refused(base) == ("oci:base has the layout version '2.0.0'; 1.0.0 is read.", COPY)
    (base.folder / "oci-layout").unlink()
    assert refused(base) == ("oci:base is no OCI layout: it has no oci-layout.", COPY)
    (base.folder / "oci-layout").mkdir()
    assert refused(base)[0] == f"{base.folder}/oci-layout cannot be read: Is a directory."
    missing = BaseFolder(base.folder.parent / "gone")
    missing.folder.rename(base.folder.parent / "moved")
    assert refused(missing) == ("oci:base: there is no such folder.", "Make it, or correct its name.")


def test_an_index_that_is_damaged_is_told(base: BaseFolder) -> None:
    base.tag(base.image())
    (base.folder / "index.json").write_text('{"manifests": [')
    assert refused(base)[0].startswith(f"{base.folder}/index.json is not JSON: ")
    (base.folder / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:.."}]}))
    assert refused(base)[0] == "oci:base has a descriptor without mediaType, digest or size."


def test_blobs_are_read_verified(base: BaseFolder) -> None:
    entry = base.image()
    layout, descriptor = Layout(base.folder, "oci:base"), Descriptor("m", entry["digest"], entry["size"])
    path = base.blobs / entry["digest"][7:]
    assert layout.fetch(descriptor) == path
    assert layout.read(descriptor) == path.read_bytes()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"2", b"3", 1))
    with pytest.raises(LastmileError, match=rf"^oci:base: what should be {entry['digest']} is sha256:"):
        layout.read(descriptor)
    path.unlink()
    with pytest.raises(LastmileError, match=rf"^oci:base lacks the blob {entry['digest']}\."):
        layout.fetch(descriptor)


def test_a_document_has_a_limit(base: BaseFolder) -> None:
    entry = base.blob(bytes(DOCUMENT_LIMIT + 1), "m")
    with pytest.raises(LastmileError) as caught:
        Layout(base.folder, "oci:base").read(Descriptor("m", entry["digest"], entry["size"]))
    assert caught.value.message == f"oci:base: {entry['digest']} is larger than 4194304 bytes."
