"""A layer: the same bytes whatever else differs, only what may be in one, and nothing left of one that failed."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from lastmile_sls.bundle.oci.layer import Layer, make_layer
from lastmile_sls.errors import LastmileError

TARGET = PurePosixPath("/opt/app")
LONG = "a-name-that-is-longer-than-the-hundred-characters-of-the-first-tars/" * 4 + "file"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    for name, content in {"b/c.py": "c", "b/d/run": "#!", "a": "a", "é ü": "", LONG: "long"}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    (source / "b" / "d" / "run").chmod(0o755)
    (source / "link").symlink_to("b/c.py")
    (source / "b" / "d" / "up").symlink_to("../../a")
    (source / "b" / "gone").symlink_to("nowhere")
    (source / "folder").symlink_to("b/d")
    (source / "empty").mkdir()
    return source


def entries(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer.path) as tar:
        return {entry.name: entry for entry in tar}


def test_a_folder_is_packed(source: Path, tmp_path: Path) -> None:
    layer = make_layer(source, TARGET, tmp_path / "layers", name="runtime")
    packed = layer.path.read_bytes()
    assert layer.path == tmp_path / "layers" / layer.digest.removeprefix("sha256:")
    assert layer.digest == f"sha256:{hashlib.sha256(packed).hexdigest()}"
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(packed)).hexdigest()}"
    assert layer.descriptor.document == {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": layer.digest,
        "size": len(packed),
    }
    assert layer.name == "runtime"
    found = entries(layer)
    assert list(found) == sorted(found)
    expected = {"opt/app"} | {f"opt/app/{path.relative_to(source).as_posix()}" for path in source.rglob("*")}
    assert set(found) == expected
    for name, entry in found.items():
        assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", ""), name
        runs = entry.isdir() or name.endswith("/run")
        assert entry.mode == (0o777 if entry.issym() else 0o755 if runs else 0o644), name
    assert (found["opt/app/link"].linkname, found["opt/app/b/d/up"].linkname) == ("b/c.py", "../../a")
    with tarfile.open(layer.path) as tar:
        content = tar.extractfile(f"opt/app/{LONG}")
        assert content is not None
        assert content.read() == b"long"


def test_it_is_named_after_its_target_where_it_has_no_name(source: Path, tmp_path: Path) -> None:
    assert make_layer(source, TARGET, tmp_path / "layers").name == "/opt/app"


def test_the_root_as_the_target_gets_no_entry(source: Path, tmp_path: Path) -> None:
    names = list(entries(make_layer(source, PurePosixPath("/"), tmp_path / "layers")))
    assert names[0] == "a"
    assert not [name for name in names if name.startswith("/") or not name]


def test_the_bytes_depend_on_nothing_but_the_files(source: Path, tmp_path: Path) -> None:
    """Another umask, another owner, another folder, another order on disk, another day, fewer rights for others."""
    first = make_layer(source, TARGET, tmp_path / "layers")
    before = os.umask(0o077)
    try:
        other = tmp_path / "elsewhere" / "other"
        other.mkdir(parents=True)
        for path in sorted(source.rglob("*"), reverse=True):
            copy = other / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                copy.symlink_to(path.readlink())
            elif path.is_dir():
                copy.mkdir(exist_ok=True)
            else:
                copy.write_bytes(path.read_bytes())
                copy.chmod(0o700 if path.stat().st_mode & 0o100 else 0o600)
                os.utime(copy, (1e9, 2e9))
                if os.geteuid() == 0:
                    os.chown(copy, 1234, 1234)
        second = make_layer(other, TARGET, tmp_path / "others")
    finally:
        os.umask(before)
    assert (second.digest, second.diff_id) == (first.digest, first.diff_id)
    assert second.path.read_bytes() == first.path.read_bytes()


def test_one_changed_byte_is_another_layer(source: Path, tmp_path: Path) -> None:
    first = make_layer(source, TARGET, tmp_path / "layers")
    (source / "a").write_text("b")
    assert make_layer(source, TARGET, tmp_path / "layers").diff_id != first.diff_id


def test_only_some_files_are_taken_with_the_folders_between(source: Path, tmp_path: Path) -> None:
    layer = make_layer(source, TARGET, tmp_path / "layers", files=["b/d", "link", "b/c.py"])
    names = ["", "/b", "/b/c.py", "/b/d", "/b/d/run", "/b/d/up", "/link"]
    assert list(entries(layer)) == [f"opt/app{name}" for name in names]
    again = make_layer(source, TARGET, tmp_path / "layers", files=["link", "b/c.py", "b/d/up", "b/d/run"])
    assert again.digest == layer.digest


def test_a_change_in_one_layer_leaves_the_others_as_they_are(source: Path, tmp_path: Path) -> None:
    def both() -> list[str]:
        return [make_layer(source, TARGET, tmp_path / "l", files=[part]).digest for part in ("b", "a")]

    before = both()
    (source / "a").write_text("another model")
    after = both()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def out_by_path(source: Path) -> None:
    (source / "b" / "bad").symlink_to("../../../etc")


def out_and_back(source: Path) -> None:
    (source / "b" / "bad").symlink_to("../../source/a")


def absolute(source: Path) -> None:
    (source / "b" / "bad").symlink_to(source / "a")


def out_through_a_link(source: Path) -> None:
    """By its names it stays inside; but one of them is a link to the source, which lies higher than it seems."""
    (source / "b" / "d" / "top").symlink_to("../..")
    (source / "b" / "bad").symlink_to("d/top/../x")


@pytest.mark.parametrize("make", [out_by_path, out_and_back, absolute, out_through_a_link])
def test_a_link_that_leads_out_is_refused_by_name(
    source: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(source)
    link = (source / "b" / "bad").readlink()
    with pytest.raises(LastmileError) as caught:
        make_layer(source, TARGET, tmp_path / "layers")
    told = f"{source}/b/bad cannot be packed: the link leads to {link}, out of {source}."
    assert (caught.value.message, caught.value.hint) == (told, "Put what it leads to in its place.")
    assert list((tmp_path / "layers").iterdir()) == []


def test_a_link_to_itself_is_a_link(source: Path, tmp_path: Path) -> None:
    (source / "self").symlink_to("self")
    assert entries(make_layer(source, TARGET, tmp_path / "layers"))["opt/app/self"].linkname == "self"


def test_a_file_named_through_a_link_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        make_layer(source, TARGET, tmp_path / "layers", files=["folder/run"])
    assert caught.value.message == f"{source}/folder/run cannot be packed: folder is a link."
    assert caught.value.hint == "Name the file by the folder that it is in."


def test_what_means_a_deletion_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "b" / ".wh.c.py").touch()
    with pytest.raises(LastmileError) as caught:
        make_layer(source, TARGET, tmp_path / "layers")
    assert (
        caught.value.message
        == f"{source}/b/.wh.c.py cannot be packed: in an image, its name means a deletion."
    )
    assert caught.value.hint == "Rename it."


def test_what_is_no_file_is_refused(source: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{short}/s")
        (Path(short) / "s").rename(source / "socket")
    os.mkfifo(source / "zz-fifo")
    for name in ("socket", "zz-fifo"):
        with pytest.raises(LastmileError) as caught:
            make_layer(source, TARGET, tmp_path / "layers")
        assert caught.value.message == f"{source}/{name} cannot be packed: it is no file, folder or link."
        (source / name).unlink()
    assert make_layer(source, TARGET, tmp_path / "layers").size > 0


@pytest.mark.parametrize("name", ["nothing", "b/nothing"])
def test_a_file_that_is_not_there_is_told(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(LastmileError) as caught:
        make_layer(source, TARGET, tmp_path / "layers", files=[name])
    assert caught.value.message == f"{source}/{name} cannot be packed: No such file or directory."


def test_a_source_that_is_no_folder_is_told(source: Path, tmp_path: Path) -> None:
    for path, why in ((source / "a", "Not a directory"), (tmp_path / "no", "No such file or directory")):
        with pytest.raises(LastmileError) as caught:
            make_layer(path, TARGET, tmp_path / "layers")
        assert caught.value.message == f"{path} cannot be packed: {why}."


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "b/../a", ".", ""])
def test_files_are_relative_to_the_source(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^the file '.*' is not relative to the source without \.\.$"):
        make_layer(source, TARGET, tmp_path / "layers", files=[name])


@pytest.mark.parametrize("target", ["opt/app", "/opt/../etc"])
def test_the_target_is_absolute(source: Path, tmp_path: Path, target: str) -> None:
    with pytest.raises(ValueError, match="is not an absolute path"):
        make_layer(source, PurePosixPath(target), tmp_path / "layers")


def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(source: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the end of the disk: the same error, only another reason."""
    (source / "large").write_bytes(os.urandom(2_000_000))
    script = f"""
import resource, signal
from pathlib import Path, PurePosixPath
from lastmile_sls.bundle.oci.layer import make_layer
from lastmile_sls.errors import LastmileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    make_layer(Path({str(source)!r}), PurePosixPath("/opt"), Path({str(tmp_path / "layers")!r}))
except LastmileError as error:
    print(error.message)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == f"{tmp_path / 'layers'} could not be written: File too large.\n"
    assert list((tmp_path / "layers").iterdir()) == []


def test_a_file_that_becomes_shorter_is_told(tmp_path: Path) -> None:
    """Files of the kernel's may say that they have more bytes than they give."""
    sized = Path("/sys/kernel/uevent_seqnum")
    if not sized.is_file():
        pytest.skip("needs Linux's /sys, whose files are shorter than they say")
    with pytest.raises(LastmileError) as caught:
        make_layer(sized.parent, TARGET, tmp_path / "layers", files=[sized.name])
    assert caught.value.message == f"{sized} cannot be packed: it became shorter while it was read."
    assert list((tmp_path / "layers").iterdir()) == []
