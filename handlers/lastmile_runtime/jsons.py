"""JSON through the interpreter's own scanner and encoder, without the 7 ms that importing `json` takes.

The same values, text and errors as `json` gives: what the scanner refuses is read again by `json`, which says why.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BLANKS = " \t\n\r"
_FIRST = b'{["-0123456789tfnNI'
_CONSTANTS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class _Context:
    """What `json.decoder.JSONDecoder()` would tell the scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = _CONSTANTS.__getitem__


def loads(document: bytes | bytearray | str) -> Any:
    """Return what a JSON text says. Raises what `json.loads` does: json.JSONDecodeError, or UnicodeDecodeError."""
    if isinstance(document, str):
        text = document
    elif isinstance(document, (bytes, bytearray)) and _is_utf_8(document):
        text = document.decode("utf-8", "surrogatepass")
    else:
        return _loads(document)
    if _scan is None:
        return _loads(document)
    try:
        value, end = _scan(text, 0)
    except (
        StopIteration,
        ValueError,
        SystemError,
    ):  # the last: it has no words of its own before json is imported
        return _loads(document)
    if end != len(text) and text[end:].strip(_BLANKS):
        return _loads(document)
    return value


def dumps(
    value: Any,
    *,
    separators: tuple[str, str] = (",", ":"),
    ensure_ascii: bool = False,
    allow_nan: bool = False,
) -> str:
    """Return a value as a JSON text, as `json.dumps` with these arguments does; by default as short as can be.

    Raises TypeError for what JSON does not have, ValueError for a NaN, an infinity, or a circle.
    """
    if _encoder is not None:
        options = (separators, ensure_ascii, allow_nan)
        encode = _encoders.get(options)
        if encode is None:
            encode = _encoders[options] = _encoder(separators, ensure_ascii=ensure_ascii, allow_nan=allow_nan)
        try:
            return "".join(encode(value, 0))
        except RecursionError:
            pass  # json says whether it is a circle
    import json

    return json.dumps(value, separators=separators, ensure_ascii=ensure_ascii, allow_nan=allow_nan)


def _is_utf_8(document: bytes | bytearray) -> bool:
    """Tell whether `json.detect_encoding` would find a text to be UTF-8 without a byte order mark; when in doubt, no."""
    return document[:1] in _FIRST and document[1:2] != b"\0"


def _loads(document: bytes | bytearray | str) -> Any:
    import json

    return json.loads(document)


def _refuse(value: object) -> Any:
    raise TypeError(f"Object of type {value.__class__.__name__} is not JSON serializable")


_encoders: dict[tuple[tuple[str, str], bool, bool], Callable[[Any, int], tuple[str, ...]]] = {}
"""By their options; making one takes as long as a small document."""
_scan: Callable[[str, int], tuple[Any, int]] | None = None
_encoder: Callable[..., Callable[[Any, int], tuple[str, ...]]] | None = None
try:
    # Not documented, but what json itself is made of; where it is missing or another, json has a way of its own.
    import _json

    def _make(separators: tuple[str, str], *, ensure_ascii: bool, allow_nan: bool) -> Any:
        text = _json.encode_basestring_ascii if ensure_ascii else _json.encode_basestring
        item, key = separators
        return _json.make_encoder(None, _refuse, text, None, key, item, False, False, allow_nan)

    _make((",", ":"), ensure_ascii=False, allow_nan=False)
    _scan = _json.make_scanner(_Context)  # type: ignore[arg-type] # it takes anything that has these members
    _encoder = _make
except (ImportError, AttributeError, TypeError):
    pass
