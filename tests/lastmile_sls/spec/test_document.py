from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.document import MAX_BYTES, read_document


def refusal(path: Path) -> str:
    with pytest.raises(LastmileError) as caught:
        read_document(path)
    return str(caught.value).replace(str(path), "spec.yaml")


def test_each_value_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("a: 1\nb:\n  - c: 2\n  - d\n")
    document = read_document(path)
    assert document.value == {"a": 1, "b": [{"c": 2}, "d"]}
    assert document.lines == {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 0, "c"): 3, ("b", 1): 4}
    assert document.line(("b", 1, "not there")) == 4
    assert document.line(("z",)) is None


_TEN = ",".join(["{}"] * 10)
_LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{_TEN.replace('{}', f'*a{n - 1}')}]\n" for n in range(1, 9)
)
_MENDED = "\nMend the line."
BAD = {
    "": "spec.yaml must hold fields and values, but holds nothing.\n"
    "Begin with `name: ...`; `lastmile init MODEL` writes a whole file.",
    "- a\n": "spec.yaml must hold fields and values, but holds a list.\n"
    "Begin with `name: ...`; `lastmile init MODEL` writes a whole file.",
    "hello\n": "spec.yaml must hold fields and values, but holds a single value.\n"
    "Begin with `name: ...`; `lastmile init MODEL` writes a whole file.",
    "a: 1\nb: 2\na: 3\n": "spec.yaml:3 a is there twice.\nKeep one of them.",
    "a: {b: 1, b: 2}\n": "spec.yaml:1 b is there twice.\nKeep one of them.",
    "a:\n\t- b\n": "spec.yaml:2 is not YAML: found character that cannot start any token."
    "\nIndent with spaces, not tabs.",
    "a: 1\n---\nb: 2\n": f"spec.yaml:2 is not YAML: but found another document.{_MENDED}",
    "a: !!python/object:os.system {}\n": "spec.yaml:1 is not YAML: could not determine a constructor for the tag "
    f"'tag:yaml.org,2002:python/object:os.system'.{_MENDED}",
    "a: 2024-99-99\n": "spec.yaml has a value that cannot be read: month must be in 1..12.\nQuote it.",
    "? [a]\n: b\n": "spec.yaml:1 has a list for a key.\nKeys are plain words.",
    "a: &a [*a]\n": "spec.yaml:1 has an alias that holds itself.\nWrite its value out.",
    "a:\n  " + "[" * 200_000: "spec.yaml:2 is nested more than 32 deep.\nClose the brackets before it.",
    _LAUGHS: "spec.yaml unfolds into more than 100000 values.\nUse fewer aliases.",
}


@pytest.mark.parametrize(("text", "says"), BAD.items(), ids=[text[:20] for text in BAD])
def test_what_is_no_mapping_in_yaml_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    assert refusal(path) == says


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "spec.yaml is a folder.\nName the file in it."
    path = tmp_path / "spec.yaml"
    assert refusal(path) == "spec.yaml cannot be read: No such file or directory."
    path.write_bytes(b"a: 1\nb: \xff\n")
    assert refusal(path) == "spec.yaml:2 is not UTF-8 text.\nSave it as UTF-8."
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert refusal(path) == f"spec.yaml has {MAX_BYTES + 1} bytes, but a spec has at most {MAX_BYTES}."
