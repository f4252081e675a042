"""The hashes of files among inputs: the CLI's own, what changes them, and what is refused."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.engine.embedded.assets import with_hashes
from lastmile_sls.engine.interface import EngineError, Event
from lastmile_sls.engine.properties import (
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_SENTINEL,
    secret,
)
from tests.lastmile_sls.engine.conftest import make_engine
from tests.lastmile_sls.engine.world import World

HINT = "Make the file before the program runs, or give its path from the project's folder."


def asset(**more: Any) -> dict[str, Any]:
    return {SIGNATURE_KEY: ASSET_SIGNATURE, **more}


def archive(**more: Any) -> dict[str, Any]:
    return {SIGNATURE_KEY: ARCHIVE_SIGNATURE, **more}


def hashed(value: Any, folder: Path) -> Any:
    return with_hashes("t:i:T a", {"code": value}, folder)["code"]


def fill(folder: Path) -> None:
    """Make a folder whose order by path is not its order by name, and archives of it."""
    for name, text in {"a.txt": "hi", "sub/b.txt": "hi2", "sub.txt": "x", ".pulumi/state": "no"}.items():
        path = folder / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "code" / "link.txt").symlink_to("a.txt")
    (folder / "code" / "linked").symlink_to("sub")
    with zipfile.ZipFile(folder / "code.zip", "w") as zipped:
        zipped.writestr("sub/", "")
        zipped.writestr("sub/b.txt", "hi2")
    with tarfile.open(folder / "code.tar.gz", "w:gz") as tarred:
        entry = tarfile.TarInfo("./c.txt")
        entry.size = 3
        tarred.addfile(entry, io.BytesIO(b"hi3"))


PROGRAM = """
import pulumi

class Thing(pulumi.CustomResource):
    def __init__(self, name, props):
        super().__init__("checking:index:Thing", name, props)

Thing("a", {
    "text": pulumi.StringAsset("h\\u00e9"),
    "file": pulumi.FileAsset("code/a.txt"),
    "zip": pulumi.FileArchive("code.zip"),
    "tar": pulumi.FileArchive("code.tar.gz"),
    "folder": pulumi.FileArchive("code"),
    "secret": pulumi.Output.secret(pulumi.StringAsset("x")),
    "all": pulumi.AssetArchive({
        "z": pulumi.FileArchive("code"), "x.txt": pulumi.StringAsset("hi"), "zip": pulumi.FileArchive("code.zip"),
        "tar": pulumi.FileArchive("code.tar.gz"), "in": pulumi.AssetArchive({"f": pulumi.FileAsset("code/a.txt")}),
    }),
    "empty": pulumi.AssetArchive({}),
})
"""


@pytest.mark.pulumi_cli
def test_the_hashes_are_those_of_the_cli(world: World, tmp_path: Path) -> None:
    fill(world.folder)
    (world.folder / "__main__.py").write_text(PROGRAM)
    inputs = {}
    for kind in ("embedded", "pulumi"):
        engine = make_engine(kind, tmp_path / kind)
        engine.up(world.program(), ignore)
        inputs[kind] = engine.export_state(world.program())["deployment"]["resources"][-1]["inputs"]
    assert inputs["embedded"] == inputs["pulumi"]


def ignore(event: Event) -> None:
    return None


def test_a_text_and_a_file_are_hashed_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    content = hashlib.sha256(b"content").hexdigest()
    assert hashed(asset(text="content"), tmp_path) == asset(text="content", hash=content)
    assert hashed(asset(path="f"), tmp_path) == asset(path="f", hash=content)
    assert hashed(asset(path=str(tmp_path / "f")), tmp_path)["hash"] == content


def test_files_are_found_wherever_they_stand(tmp_path: Path) -> None:
    value = hashed({"list": [secret(asset(text="x"))], "plain": 1}, tmp_path)
    assert value == {
        "list": [secret(asset(text="x", hash=hashlib.sha256(b"x").hexdigest()))],
        "plain": 1,
    }


def test_a_folder_is_known_by_names_and_contents_alone(tmp_path: Path) -> None:
    fill(tmp_path)
    before = hashed(archive(path="code"), tmp_path)
    assert before["path"] == "code"
    (tmp_path / "code" / "a.txt").chmod(0o777)
    (tmp_path / "code").rename(tmp_path / "moved")
    assert hashed(archive(path="moved"), tmp_path)["hash"] == before["hash"]
    (tmp_path / "moved" / "sub.txt").rename(tmp_path / "moved" / "sub2.txt")
    assert hashed(archive(path="moved"), tmp_path)["hash"] != before["hash"]


def test_long_and_foreign_names_are_told_apart(tmp_path: Path) -> None:
    hashes = set()
    for name in ("é", "n" * 150, "n" * 151):
        hashes.add(hashed(archive(assets={name: asset(text="")}), tmp_path)["hash"])
    assert len(hashes) == 3


def test_an_archive_with_an_unknown_part_has_no_hash_yet(tmp_path: Path) -> None:
    value = archive(assets={"known": asset(text="x"), "unknown": UNKNOWN_SENTINEL})
    result = hashed(value, tmp_path)
    assert "hash" not in result
    assert result["assets"]["known"]["hash"] == hashlib.sha256(b"x").hexdigest()


def refusal_of(value: Any, folder: Path) -> EngineError:
    with pytest.raises(EngineError) as caught:
        hashed(value, folder)
    return caught.value


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "broken.zip").write_text("no zip")
    kinds = "(.zip, .jar, .tar, .tgz, .tar.gz)"
    for value, message in [
        (
            asset(path="gone"),
            f"code of t:i:T a is gone, which cannot be read in {tmp_path}: No such file or directory.",
        ),
        (asset(path="."), f"code of t:i:T a is ., which cannot be read in {tmp_path}: Is a directory."),
        (
            archive(path="gone"),
            f"code of t:i:T a is an archive at gone, but {tmp_path / 'gone'} is not there {kinds}.",
        ),
        (
            archive(path="plain"),
            f"code of t:i:T a is an archive at plain, but {tmp_path / 'plain'} is neither a folder nor an archive {kinds}.",
        ),
        (
            archive(assets={"x": archive(path="broken.zip")}),
            f"code of t:i:T a is a collection of files, which cannot be read in {tmp_path}: File is not a zip file.",
        ),
        (
            archive(assets={"x": asset(path="gone")}),
            f"x in code of t:i:T a is gone, which cannot be read in {tmp_path}: No such file or directory.",
        ),
    ]:
        error = refusal_of(value, tmp_path)
        assert error.message == message
        assert error.hint == HINT


def test_what_it_does_not_carry_is_refused_by_name(tmp_path: Path) -> None:
    remote = refusal_of(archive(uri="https://example.com/x.zip"), tmp_path)
    assert remote.message == (
        "the program uses a remote file (https://example.com/x.zip) as code of t:i:T a, "
        "which the embedded engine does not carry."
    )
    reference = refusal_of([{SIGNATURE_KEY: "5cf8f73096256a8f31e491e813e4eb8e", "urn": "u"}], tmp_path)
    assert reference.message == (
        "the program uses a reference to a resource as code[0] of t:i:T a, which the embedded engine does not carry."
    )
