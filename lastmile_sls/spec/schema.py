"""The spec's JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from lastmile_sls.spec.model import Spec


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `lastmile.yaml`."""
    schema = Spec.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lastmile:spec:1",
        **schema,
        "title": "lastmile.yaml",
    }
