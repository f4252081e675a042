from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lastmile_runtime
from lastmile_runtime import jsons

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def outcome(call: Callable[[], Any]) -> str:
    """What a call gives, or raises, with its message: the same for 1 and 1, not for 1 and 1.0 or True."""
    try:
        return repr(call())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@given(VALUES, st.booleans())
def test_what_json_writes_is_read_as_json_reads_it(value: Any, indent: bool) -> None:
    text = json.dumps(value, indent=1 if indent else None)
    for document in (text, text.encode(), bytearray(text.encode()), f" {text}\n"):
        assert outcome(lambda d=document: jsons.loads(d)) == outcome(lambda d=document: json.loads(d))  # type: ignore[misc] # mypy does not infer a default's type


@given(VALUES, st.booleans(), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_a_value_is_written_as_json_writes_it(
    value: Any, ensure_ascii: bool, allow_nan: bool, separators: tuple[str, str]
) -> None:
    options: dict[str, Any] = {"ensure_ascii": ensure_ascii, "allow_nan": allow_nan, "separators": separators}
    assert outcome(lambda: jsons.dumps(value, **options)) == outcome(lambda: json.dumps(value, **options))


@given(st.text('{}[]",:0.1eE+-\\u dnult\tNaIfy\ufeff\x00é', max_size=12) | st.text(max_size=6))
def test_a_text_that_is_no_json_is_refused_as_json_refuses_it(text: str) -> None:
    assert outcome(lambda: jsons.loads(text)) == outcome(lambda: json.loads(text))


@given(
    st.binary(max_size=8)
    | st.sampled_from(["utf-8", "utf-16", "utf-32-be", "utf-8-sig", "utf-16-le"]).map('[1, "é"]'.encode)
)
def test_bytes_are_taken_for_the_character_set_that_json_takes_them_for(document: bytes) -> None:
    assert outcome(lambda: jsons.loads(document)) == outcome(lambda: json.loads(document))


@pytest.mark.parametrize(
    "document", ["", b"", "[" * 100_000, b"1" * 5000, '"\n"', b'"\xff"', b"\xff", 5, None, [1]]
)
def test_what_cannot_be_read_is_refused_as_json_refuses_it(document: Any) -> None:
    assert outcome(lambda: jsons.loads(document)) == outcome(lambda: json.loads(document))


def test_the_errors_say_where_and_what() -> None:
    assert outcome(lambda: jsons.loads('{"a" 1}')) == (
        "JSONDecodeError: Expecting ':' delimiter: line 1 column 6 (char 5)"
    )
    with pytest.raises(TypeError) as found:
        jsons.dumps({"a": {1}})
    assert str(found.value) == "Object of type set is not JSON serializable"
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match=r"^Circular reference detected$"):
        jsons.dumps(circle)


def test_by_default_it_writes_as_little_as_it_can_and_no_nan() -> None:
    assert jsons.dumps({"a": [1, 2.5, None], "é": True}) == '{"a":[1,2.5,null],"é":true}'
    with pytest.raises(ValueError, match=r"^Out of range float values are not JSON compliant"):
        jsons.dumps([float("nan")])


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "without":
    sys.modules["_json"] = None
from lastmile_runtime import jsons
print(jsons.dumps(jsons.loads(b'{"a": [1, 2.5, "\\\\u00e9", NaN]}'), allow_nan=True, ensure_ascii=True))
print(sorted({"json", "re", "enum"} & set(sys.modules)))
"""


@pytest.mark.parametrize(("accelerator", "loaded"), [("with", "[]"), ("without", "['enum', 'json', 're']")])
def test_json_is_imported_only_where_the_interpreter_has_no_scanner_of_its_own(
    accelerator: str, loaded: str
) -> None:
    handlers = Path(lastmile_runtime.__file__).parent.parent
    command = [sys.executable, "-I", "-S", "-c", SCRIPT, str(handlers), accelerator]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == ['{"a":[1,2.5,"\\u00e9",NaN]}', loaded], run.stderr


def test_the_first_text_that_is_refused_has_its_words_too() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lastmile_runtime import jsons\n"
        "assert 'json' not in sys.modules\n"
        "try: jsons.loads(b'{')\n"
        "except ValueError as error: print(error)"
    )
    folder = Path(jsons.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
