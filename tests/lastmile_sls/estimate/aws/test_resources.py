"""Each resource that our programs make on AWS has a line: priced, or free and why."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lastmile_sls.estimate.aws.resources import COSTS

_TESTS = Path(__file__).parents[3]
_DATE = re.compile(r"202\d-\d\d-\d\d")
_OURS = ("pulumi:", "lastmile:")


def _types(pattern: str) -> set[str]:
    files = list(_TESTS.glob(pattern))
    assert files, pattern
    return {made["type"] for path in files for made in json.loads(path.read_text(encoding="utf-8"))}


def test_every_type_of_the_examples_and_of_the_program_that_uses_all_is_priced_or_free() -> None:
    types = _types("examples/golden/*-aws.json") | _types("clouds/golden/every-type-aws.json")
    known = {type_ for type_ in types if not type_.startswith(_OURS)}
    assert len(known) > 35
    assert known - set(COSTS.priced) - set(COSTS.free) == set()


def test_no_type_is_in_both() -> None:
    assert set(COSTS.priced) & set(COSTS.free) == set()


def test_what_is_free_says_why() -> None:
    for type_, why in COSTS.free.items():
        assert why.endswith("."), type_
        assert "aws.amazon.com/" not in why or _DATE.search(why), type_
