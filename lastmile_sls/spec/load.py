"""Loads a spec; everything that is wrong with it is told at once, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.document import Document, Location, read_document
from lastmile_sls.spec.model import Spec, is_uri
from lastmile_sls.spec.section import PATTERNS


def load(path: Path, environment: str | None = None) -> Spec:
    """Return the spec in a file, for another environment if one is named.

    Raises LastmileError with one line per mistake: where, field, value, rule.
    """
    document = read_document(path)
    content = document.value if environment is None else {**document.value, "environment": environment}
    try:
        return Spec.model_validate(content)
    except ValidationError as error:
        raise LastmileError("\n".join(_lines(path, document, error.errors()))) from None


def check(content: dict[str, Any]) -> Spec:
    """Return the spec with this content. Raises LastmileError as `load` does, without file and lines."""
    try:
        return Spec.model_validate(content)
    except ValidationError as error:
        told = [_message(detail["loc"], detail) for detail in error.errors()]
        raise LastmileError("\n".join(told)) from None


def check_files(spec: Spec, folder: Path) -> None:
    """Check that the files that the spec names are there.

    Args:
        spec: The spec.
        folder: What its paths are relative to.
    """
    missing = []
    for index, version in enumerate(spec.versions):
        paths = {"artifact": version.artifact, "sample": version.sample}
        for field, name in paths.items():
            takes_folder = field == "artifact" and version.framework == "mlflow"
            if name and not is_uri(name) and not _is_there(folder / name, takes_folder=takes_folder):
                missing.append(
                    _missing(f"versions[{index}].{field}", name, folder / name, takes_folder=takes_folder)
                )
    if missing:
        raise LastmileError("\n".join(missing), "Paths are relative to the spec.")


def _is_there(path: Path, *, takes_folder: bool) -> bool:
    return path.is_dir() if takes_folder else path.is_file()


def _missing(field: str, name: str, path: Path, *, takes_folder: bool) -> str:
    if path.is_dir():
        return f"{field} is {name!r}, which is a folder, but must be a file."
    if path.is_file():
        return f"{field} is {name!r}, which is a file, but with framework mlflow must be a model's folder."
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside, n=3)
    advice = f" Did you mean {', '.join(near)}?" if near else ""
    return (
        f"{field} is {name!r}, but there is no such {'folder' if takes_folder else 'file'} ({path}).{advice}"
    )


def _lines(path: Path, document: Document, details: list[ErrorDetails]) -> list[str]:
    told = []
    for detail in details:
        location: Location = detail["loc"] or tuple(str(detail.get("ctx", {}).get("field", "")).split("."))
        within = [other["loc"] for other in details if other["loc"][: len(location)] == location]
        if detail["type"] == "too_short" and len(within) > 1:
            continue  # the items are there: each has an error of its own
        line = document.line(location)
        where = f"{path}:{line}" if line else str(path)
        told.append((line or 0, f"{where} {_message(detail['loc'], detail)}"))
    return [text for _, text in sorted(told)]


def _message(location: Location, detail: ErrorDetails) -> str:
    field, value = _field(location), detail["input"]
    if location[-1:] == ("[key]",):
        is_text = isinstance(value, str)
        says = f"it {_must(detail)}" if is_text else "a key is text. Quote it."
        return f"{_field(location[:-2])} has the key {value!r}, but {says}"
    match detail["type"]:
        case "extra_forbidden":
            says = f"is not a field.{_suggestion(location)}"
        case "missing":
            says = "is missing. Add it."
        case "invalid_key":
            field = _field(location[:-1]) or "the spec"
            says = f"has the key {value!r}, but a key is text. Quote it."
        case "rule":
            says = f"{detail['msg'].rstrip('.')}."
        case _:
            says = f"is {_short(value)}, but {_must(detail)}"
    return f"{field} {says}".lstrip()


def _must(detail: ErrorDetails) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "literal_error":
            return f"must be one of {context['expected']}."
        case "string_pattern_mismatch":
            return f"must {PATTERNS[context['pattern']]}."
        case "too_short" | "too_long" as kind:
            name = "min_length" if kind == "too_short" else "max_length"
            return f"must have at {'least' if kind == 'too_short' else 'most'} {context[name]}."
        case "string_type" if not isinstance(value, (dict, list, type(None))):
            return f"must be text. Quote it: '{value}'."
        case _:
            return f"{_rule(detail['msg'])}."


def _rule(message: str) -> str:
    message = message.removeprefix("Input ").removeprefix("Value ")
    return message[0].lower() + message[1:]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _field(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _suggestion(location: Location) -> str:
    names = list(_fields_at(location[:-1]))
    near = get_close_matches(str(location[-1]), names, n=1)
    return f" Did you mean {near[0]}?" if near else f" The fields here are {', '.join(names)}."


def _fields_at(location: Location) -> Mapping[str, Any]:
    model: type[BaseModel] = Spec
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
