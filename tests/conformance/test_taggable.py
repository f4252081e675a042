"""The table of what takes tags is what the SDKs say."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_sls.policy.rules.tags import taggable

pytestmark = pytest.mark.conformance
FIELDS = {
    "pulumi_aws": ("tags",),
    "pulumi_gcp": ("userLabels", "resourceLabels", "labels"),
    "pulumi_azure_native": ("tags",),
}
"""By SDK: the inputs that costs are told apart by. The `tags` of Google Cloud are another thing, for policies; and where
there are `userLabels`, the `labels` are another as well."""
_TYPE = re.compile(r"super\([^)]*\)\.__init__\(\s*'([^']+)'")


def found(sdk: str) -> Iterator[tuple[str, str]]:
    """Yield each type of an SDK with the input that takes its tags, read from the sources: importing all takes minutes."""
    spec = importlib.util.find_spec(sdk)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        type_ = _TYPE.search(text)
        if type_ is None or "pulumi.CustomResource" not in text or type_[1].startswith("pulumi:"):
            continue
        for field in FIELDS[sdk]:
            name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", field)
            if f'__props__.__dict__["{name}"] = {name}\n' in text:
                yield type_[1], field
                break


def test_the_table_is_what_the_sdks_say() -> None:
    assert dict(taggable()) == {type_: field for sdk in FIELDS for type_, field in found(sdk)}
