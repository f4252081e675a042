from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.compile import not_carried, readers
from lastmile_sls.compile.refusal import REFUSALS, CannotCompile
from lastmile_sls.errors import LastmileError

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "compiled-models.md"


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page, without its head."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_lists_what_is_refused() -> None:
    assert rows_of("Trees that are not compiled") == [[option, reason] for option, reason in REFUSALS.items()]
    assert rows_of("Pipelines that are not compiled") == [[*item] for item in not_carried.REFUSALS.items()]


def test_the_page_names_every_class_that_is_read() -> None:
    listed = " ".join(cell for row in rows_of("Trees that are compiled") for cell in row)
    for classes in readers._ESTIMATORS.values():
        for name in classes:
            assert f"`{name}`" in listed


def test_every_option_is_refused_somewhere() -> None:
    folder = Path(readers.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for option in REFUSALS:
        assert f'CannotCompile("{option}"' in " ".join(code.split()).replace("( ", "("), option


def test_a_refusal_says_what_was_found_and_what_becomes_of_the_model() -> None:
    error = CannotCompile("XGBoost booster", "gblinear")
    assert isinstance(error, LastmileError)
    assert str(error) == (
        "the model cannot be compiled: XGBoost booster is gblinear, but only gbtree and dart have trees.\n"
        "It keeps its own library; predictions stay the same."
    )


def test_only_known_options_are_refused() -> None:
    with pytest.raises(KeyError):
        CannotCompile("another", "value")
