"""The files of a bundle: found all, compared with those of its manifest, and differences named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lastmile_runtime.manifest import FILE, digest, parse, render
from lastmile_sls.bundle.trust.contents import compare, files_of, hash_files, read_manifest, require_whole
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.trust.conftest import Built


def refusal(folder: Path) -> LastmileError:
    with pytest.raises(LastmileError) as refused:
        require_whole(folder)
    return refused.value


def test_a_bundle_as_it_was_built_is_whole(bundle: Path, built: Built) -> None:
    manifest, found = read_manifest(bundle)
    assert found == built.bundle.digest
    files = require_whole(bundle)
    assert files == {name: entry["sha256"] for name, entry in manifest.files.items()} | {FILE: found[7:]}


def test_a_file_that_a_store_keeps_is_not_missing(bundle: Path) -> None:
    manifest, _ = read_manifest(bundle)
    name = manifest.versions[0].artifact
    manifest.files[name]["chunks"] = {"bytes": 8, "sha256": []}
    content = render(manifest)
    (bundle / FILE).write_bytes(content)
    (bundle / name).unlink()
    assert name not in files_of(parse(content), digest(content))
    assert name not in require_whole(bundle)


def test_each_difference_is_named(bundle: Path) -> None:
    (bundle / "models/v2/two.py").write_text("changed")
    (bundle / "models/v1/model.pipeline.json").rename(bundle / "models/v1/other.json")
    (bundle / "app/app.py").unlink()
    (bundle / ".hidden").write_text("added")
    (bundle / ".gitignore").write_text("also")
    assert refusal(bundle).message == (
        f"{bundle} is not the bundle of its manifest.json: changed: models/v2/two.py; "
        "renamed: models/v1/model.pipeline.json to models/v1/other.json; missing: app/app.py; "
        "added: .gitignore, .hidden."
    )
    assert refusal(bundle).hint == "Build the bundle again, or take it from where it was built."


def test_many_differences_are_counted() -> None:
    told = compare({}, {f"f{number}": str(number) for number in range(7)}).told()
    assert told == "added: f0, f1, f2, f3, f4 and 2 more"
    assert not compare({"a": "1"}, {"a": "1"})
    assert compare({"a": "1", "b": "1"}, {"c": "1", "d": "1"}).told() == "renamed: a to c, b to d"


def test_links_and_pipes_are_no_files_of_a_bundle(bundle: Path) -> None:
    link = bundle / "models" / "elsewhere"
    for target in (bundle.parent, bundle / FILE, bundle / "nothing"):
        link.symlink_to(target)
        assert refusal(bundle).message == f"{link} is a link, but a bundle holds plain files only."
        link.unlink()
    os.mkfifo(link)
    assert refusal(bundle).message == f"{link} is no plain file, but a bundle holds nothing else."


def test_what_cannot_be_read_is_named(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as refused:
        hash_files(tmp_path / "none")
    assert refused.value.message == f"{tmp_path / 'none'} cannot be read: No such file or directory."
    path = bundle / FILE
    path.write_text("{}")
    assert refusal(bundle).message == f"{bundle}: manifest.json cannot be read: KeyError: 'format'."
    path.unlink()
    assert refusal(bundle).message == f"{path} cannot be read: No such file or directory."
    assert refusal(bundle).hint == "Name the folder of a bundle."
