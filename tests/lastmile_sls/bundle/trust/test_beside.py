"""The documents beside a bundle: written whole, read as they were written, and each known to be of that bundle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.trust import bom, model_card, provenance
from lastmile_sls.bundle.trust.beside import (
    BOM,
    CARD,
    IMPORTS,
    INDEX,
    PROVENANCE,
    SIGNATURE,
    bind,
    certification_name,
    folder_of,
    read_documents,
    verify_documents,
    write_documents,
)
from lastmile_sls.bundle.trust.facts import Facts
from lastmile_sls.bundle.trust.keys import KeyPair
from lastmile_sls.bundle.trust.provenance import Build, Material
from lastmile_sls.bundle.trust.signature import sign, verify
from lastmile_sls.bundle.trust.signers import Key, PublicKey
from lastmile_sls.bundle.trust.source import Source
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.trust.pki import NOW

OTHER = "sha256:" + 64 * "e"


@pytest.fixture
def documents(bundle: Path, facts: Facts, keys: KeyPair, tmp_path: Path) -> dict[str, bytes]:
    """Every document of a bundle."""
    report = facts.versions["v1"].report
    assert report
    sign(bundle, tmp_path / "s.json", Key(keys.private), now=NOW)
    spec = Material("lastmile.yaml", OTHER)
    build = Build("churn", facts.digest, facts.lastmile, spec, NOW, Source(missing="git is not installed"))
    return {
        SIGNATURE: (tmp_path / "s.json").read_bytes(),
        BOM: bom.render(facts),
        CARD: model_card.render(facts),
        PROVENANCE: provenance.render(build),
        IMPORTS: bind({"numpy": 0.1}, facts.digest),
        certification_name("v1"): bind(report.to_json(), facts.digest),
    }


@pytest.fixture
def folder(bundle: Path, facts: Facts, documents: dict[str, bytes]) -> Path:
    """The folder of a bundle's documents, written."""
    folder = folder_of(bundle)
    write_documents(folder, facts.digest, documents)
    return folder


def problems(folder: Path, digest: str) -> list[str]:
    return [str(problem) for problem in verify_documents(digest, folder)]


def test_they_lie_beside_the_bundle_and_are_read_as_they_were_written(
    bundle: Path, folder: Path, facts: Facts, documents: dict[str, bytes], keys: KeyPair
) -> None:
    assert folder == bundle.parent / "churn.trust"
    assert {path.name for path in bundle.parent.iterdir()} == {"churn", "churn.trust"}
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != INDEX} == documents
    found = read_documents(folder)
    assert (found.bundle_digest, dict(found.contents)) == (facts.digest, documents)
    assert problems(folder, facts.digest) == []
    verify(bundle, folder / SIGNATURE, PublicKey(keys.public), now=NOW)
    report = json.loads(found.contents["certification-v1.json"])
    assert (report["format"], report["bundle"]) == ("lastmile.certification/1", facts.digest)


def test_documents_of_former_bundles_are_replaced(
    folder: Path, facts: Facts, documents: dict[str, bytes]
) -> None:
    before = (folder / INDEX).read_bytes()
    write_documents(folder, facts.digest, documents)
    assert (folder / INDEX).read_bytes() == before
    write_documents(folder, facts.digest, {CARD: documents[CARD]})
    assert sorted(path.name for path in folder.iterdir()) == [INDEX, CARD]
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


def test_a_byte_of_any_document_is_noticed(folder: Path, facts: Facts) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 7
    for name in names:
        path = folder / name
        content = path.read_bytes()
        every = range(0, len(content), 3 if name == INDEX else len(content) // 8)
        for place in every:
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            found = problems(folder, facts.digest)
            assert found, (name, place)
            if name != INDEX:
                assert f"{name} is not as it was written" in found
                with pytest.raises(LastmileError, match=f"{name} is not as it was written"):
                    read_documents(folder)
        path.write_bytes(content)
    assert problems(folder, facts.digest) == []


def test_a_document_of_another_bundle_is_named(
    folder: Path, facts: Facts, documents: dict[str, bytes]
) -> None:
    found = problems(folder, OTHER)
    named = sorted([INDEX, *documents])
    assert sorted(found) == [f"{name} is of the bundle {facts.digest}, not of {OTHER}" for name in named]


def test_a_document_that_was_put_in_place_of_another_is_named(folder: Path, facts: Facts) -> None:
    # Its hash in the index is right: only what it says itself tells.
    stranger = model_card.render(replace(facts, digest=OTHER))
    (folder / CARD).write_bytes(stranger)
    index = json.loads((folder / INDEX).read_bytes())
    index["documents"][CARD] = hashlib.sha256(stranger).hexdigest()
    (folder / INDEX).write_text(json.dumps(index, sort_keys=True, indent=1) + "\n")
    told = f"{CARD} is of the bundle {OTHER}, not of {facts.digest}"
    assert problems(folder, facts.digest) == [told]
    with pytest.raises(LastmileError) as refused:
        read_documents(folder)
    assert refused.value.message == f"the documents in {folder} cannot be used: {told}."


def test_what_is_added_or_missing_is_named(folder: Path, facts: Facts, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("x")
    (folder / CARD).unlink()
    (folder / BOM).rename(tmp_path / "elsewhere")
    (folder / BOM).symlink_to(tmp_path / "elsewhere")
    assert problems(folder, facts.digest) == [
        f"{BOM} cannot be read: Too many levels of symbolic links",
        f"{CARD} cannot be read: No such file or directory",
        "notes.txt is not among the documents that were written",
    ]


def test_no_documents_at_all(folder: Path, facts: Facts) -> None:
    (folder / INDEX).unlink()
    missing = f"{INDEX} cannot be read: No such file or directory"
    assert problems(folder, facts.digest) == [missing]
    shutil.rmtree(folder)
    assert problems(folder, facts.digest) == [missing]
    with pytest.raises(LastmileError) as refused:
        read_documents(folder)
    assert refused.value.message == f"the documents in {folder} cannot be used: {missing}."
    assert refused.value.hint == "Build the bundle again."


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index.update(format="lastmile.trust/2"),
        lambda index: index.update(bundle="x"),
        lambda index: index.update(bundle=5),
        lambda index: index.update(documents=[]),
        lambda index: index.update(more=1),
        lambda index: index["documents"].update({"../../secret": "x"}),
    ],
)
def test_an_index_that_was_not_written_here_is_refused(folder: Path, facts: Facts, change: Any) -> None:
    index = json.loads((folder / INDEX).read_bytes())
    change(index)
    (folder / INDEX).write_text(json.dumps(index, sort_keys=True, indent=1) + "\n")
    assert problems(folder, facts.digest) == [f"{INDEX} is not as it was written"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", b"", "notes.txt is no document of a bundle"),
        (INDEX, b"{}", f"{INDEX} is no document of a bundle"),
        ("certification-../x.json", b"{}", "certification-../x.json is no document of a bundle"),
        (BOM, b"{}", f"{BOM} cannot be read: it names no bundle"),
        (PROVENANCE, b"{", f"{PROVENANCE} cannot be read: Expecting property name"),
        (IMPORTS, b"[]", f"{IMPORTS} cannot be read: it names no bundle"),
        (IMPORTS, b"[" * 100_000, f"{IMPORTS} cannot be read: "),
        (SIGNATURE, b"{}", f"{SIGNATURE} cannot be read: it has not exactly dsseEnvelope"),
        (
            "certification-v1.json",
            bind({}, OTHER),
            f"certification-v1.json is of the bundle {OTHER}, not of ",
        ),
    ],
)
def test_what_does_not_belong_is_not_written(
    folder: Path, facts: Facts, name: str, content: bytes, told: str
) -> None:
    before = (folder / INDEX).read_bytes()
    with pytest.raises(LastmileError) as refused:
        write_documents(folder, facts.digest, {name: content})
    assert refused.value.message.startswith(told)
    assert refused.value.hint == "Write the documents of this bundle."
    assert (folder / INDEX).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_left_as_it_was(
    folder: Path, facts: Facts, documents: dict[str, bytes], tmp_path: Path
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(LastmileError) as refused:
        write_documents(taken / "churn.trust", facts.digest, documents)
    assert (
        refused.value.message
        == f"the documents in {taken / 'churn.trust'} could not be written: File exists."
    )
    assert refused.value.hint == "Free space or mend the folder's rights, then run again."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_left_as_it_was(
    folder: Path, facts: Facts, documents: dict[str, bytes]
) -> None:
    folder.parent.chmod(0o500)
    try:
        with pytest.raises(LastmileError, match="Permission denied"):
            write_documents(folder, facts.digest, {CARD: documents[CARD]})
    finally:
        folder.parent.chmod(0o700)
    assert problems(folder, facts.digest) == []


def test_numbers_that_json_does_not_have_are_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        bind({"x": float("nan")}, OTHER)
